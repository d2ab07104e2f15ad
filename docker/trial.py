"""The whole shop from its images, with a Postgres and a Redis of its own: every
container read-only, without any capability, and with the user of its image."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime

from anatomy import docker

SERVICES = ("payment-simulator", "inventory-service", "payment-service", "order-service")
DATABASES = {"inventory-service": "inventory", "payment-service": "payments", "order-service": "orders"}
READY_MAX_S = 1.0
PATIENCE_S = 60
CONFINED = (
    "--read-only --cap-drop ALL --security-opt no-new-privileges --memory 256m --pids-limit 256 --network host"
).split()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Gate:
    """The way to the database, which can be shut and opened again."""

    def __init__(self, target):
        self.target, self.port = target, free_port()
        self.listener, self.open_connections = None, []

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def shut(self):
        listener, self.listener = self.listener, None
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for side in self.open_connections:
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open_connections = []

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for side in (near, far):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open_connections += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Trial:
    def __init__(self, root, engine, tag, say):
        self.root, self.engine, self.tag, self.say = root, engine, tag, say
        self.place = root / ".run/images-check"
        self.stores, self.containers = [], {}
        self.ports = {name: {kind: free_port() for kind in ("api", "rest", "private")} for name in SERVICES}
        self.postgres, self.redis = free_port(), free_port()
        self.gate = Gate(self.postgres)

    def image(self, name):
        return f"cartwright/{name}:{self.tag}"

    def __enter__(self):
        try:
            self.prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def prepare(self):
        shutil.rmtree(self.place, ignore_errors=True)
        (self.place / "keys").mkdir(parents=True)
        # Containers write there as a user whom this machine need not know.
        (self.place / "keys").chmod(0o777)
        self.start_store("private-postgres", "postgres", self.postgres, "-c", "fsync=off")
        self.start_store("private-redis", "redis", self.redis)
        bin = subprocess.check_output([self.root / "scripts/private-postgres", "--bin"], text=True).strip()
        psql = [f"{bin}/psql", "-h", "127.0.0.1", "-p", str(self.postgres), "-U", "postgres", "-X", "-q", "-c"]
        self.wait(lambda: subprocess.run([*psql, "select 1"], capture_output=True).returncode == 0, "Postgres")
        for database in DATABASES.values():
            subprocess.run([*psql, f"create database {database}"], check=True)
        self.gate.open()
        self.cli("keys", "init", "/keys", "--service", "order-service")
        self.cli("login", "--key", "/keys/developer.pem")
        for name in SERVICES:
            self.write_settings(name)

    def __exit__(self, *_):
        for name, container in self.containers.items():
            said = subprocess.run(
                [*self.engine, "logs", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ).stdout
            (self.place / f"{name}.log").write_bytes(said)
            subprocess.run([*self.engine, "rm", "--force", "--volumes", container], capture_output=True)
        for store in self.stores:
            # A fast shutdown, for Postgres.
            store.send_signal(signal.SIGINT)
            store.wait()

    def start_store(self, script, name, port, *options):
        with open(self.place / f"{name}.log", "wb") as log:
            command = [self.root / "scripts" / script, self.place / name, str(port), *options]
            quick = os.environ | {"PRIVATE_POSTGRES_SYNC": "off"}
            self.stores.append(subprocess.Popen(command, stdout=log, stderr=log, env=quick))
        self.wait(lambda: answers(port), name)

    def wait(self, done, what, pause=0.1):
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not there after {PATIENCE_S} s")
            time.sleep(pause)

    def write_settings(self, name):
        at = lambda service, kind: f"127.0.0.1:{self.ports[service][kind]}"
        settings = {
            "private_listen": at(name, "private"),
            "deployment": {"environment": "local"},
            "auth": {"mode": "jwt", "issuer": "cartwright-local", "jwks_url": "file:/keys/jwks.json"},
        }
        if name == "payment-simulator":
            settings |= {
                "auth": {"mode": "none"},
                "api": {"listen": at(name, "api"), "api_key": "sk_test_trial"},
                "books": {"directory": "/var/lib/payment-simulator"},
                "webhooks": {
                    "url": f"http://{at('payment-service', 'rest')}/webhooks/stripe",
                    "secret": "whsec_trial",
                },
            }
        else:
            database = DATABASES[name]
            settings |= {
                "server": {"listen": at(name, "api"), "page_token_secret": "trial"},
                "http": {"listen": at(name, "rest")},
                "database": {"url": f"postgres://postgres@127.0.0.1:{self.gate.port}/{database}"},
                "redis": {"url": f"redis://127.0.0.1:{self.redis}"},
            }
        if name == "payment-service":
            settings["provider"] = {
                "base_url": f"http://{at('payment-simulator', 'api')}",
                "api_key": "sk_test_trial",
                "webhook_secrets": ["whsec_trial"],
            }
        if name == "order-service":
            for peer in ("inventory", "payment"):
                url = f"http://{at(f'{peer}-service', 'api')}"
                settings[peer] = {"url": url, "token_file": "/keys/order-service.token"}
        folder = self.place / "settings" / name
        folder.mkdir(parents=True)
        # JSON is YAML, too.
        (folder / "settings.yaml").write_text(json.dumps(settings, indent=1))

    def mounts(self, name):
        return [
            "--volume", f"{self.place}/settings/{name}:/etc/cartwright:ro",
            "--volume", f"{self.place}/keys:/keys:ro",
        ]  # fmt: skip

    def cli(self, *arguments):
        """The command line, from its own image."""
        urls = []
        for service in ("order", "payment", "inventory"):
            port = self.ports[f"{service}-service"]["api"]
            urls += ["--env", f"CARTWRIGHT_{service.upper()}_URL=http://127.0.0.1:{port}"]
        return docker(
            self.engine, "run", "--rm", *CONFINED, *urls, "--env", "CARTWRIGHT_CREDENTIALS=/keys/credentials.json",
            "--volume", f"{self.place}/keys:/keys", "--volume", f"{self.root}/deploy/local:/data:ro",
            self.image("cartwright"), *arguments,
        )  # fmt: skip

    def asks(self, name, path):
        """The status that the private listener answers with, 0 if it does not."""
        url = f"http://127.0.0.1:{self.ports[name]['private']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def is_ready(self, name):
        return self.asks(name, "/health/ready") == 200

    def started_at(self, container):
        text = docker(self.engine, "inspect", "--format", "{{.State.StartedAt}}", container).strip()
        return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()

    def start(self, name):
        """Migrates and starts one; tells how long it took to be ready."""
        self.say(f"starting {name}")
        confined = [*CONFINED, *self.mounts(name)]
        if name in DATABASES:
            docker(self.engine, "run", "--rm", *confined, self.image(name), "migrate")
        made = docker(self.engine, "create", *confined, "--health-interval", "1s", self.image(name)).strip()
        self.containers[name] = made
        docker(self.engine, "start", made)
        self.wait(lambda: self.is_ready(name), f"{name} is ready", pause=0.005)
        ready_s = time.time() - self.started_at(made)
        asked = subprocess.run(
            [*self.engine, "exec", made, f"/usr/local/bin/{name}", "healthcheck"], capture_output=True
        ).returncode
        health = lambda: docker(self.engine, "inspect", "--format", "{{.State.Health.Status}}", made).strip()
        self.wait(lambda: health() != "starting", f"the engine's opinion of {name}")
        return {"ready_s": round(ready_s, 3), "healthcheck": asked, "engine_says": health()}

    def late_database(self, name):
        """From the moment at which the database of a waiting process is there."""
        self.say(f"{name} before its database")
        self.gate.shut()
        docker(self.engine, "restart", "--time", "30", self.containers[name])
        self.wait(lambda: self.asks(name, "/health/live") == 200, f"{name} is alive", pause=0.02)
        time.sleep(1.5)
        early = self.is_ready(name)
        self.gate.open()
        begun = time.monotonic()
        self.wait(lambda: self.is_ready(name), f"{name} is ready", pause=0.005)
        return {"ready_s": round(time.monotonic() - begun, 3), "ready_without_database": early}

    def order(self):
        """Somebody buys two mugs, and all books agree afterwards."""
        self.say("placing an order")
        self.cli("stock", "import", "/data/catalogue.csv")
        said = self.cli("--output", "json", "order", "create", "--customer", "ada", "--line", "MUG-BLUE=2")
        answer = json.loads(said)
        order = answer.get("order", answer)
        self.cli("audit")
        return {"id": order["id"], "state": order["state"]}

    def stop(self, name):
        begun = time.monotonic()
        docker(self.engine, "stop", "--time", "30", self.containers[name])
        code = docker(self.engine, "inspect", "--format", "{{.State.ExitCode}}", self.containers[name])
        return {"stop_s": round(time.monotonic() - begun, 2), "exit": int(code)}


def run(root, engine, tag, say):
    """All of it; `faults` is empty when all went as it must."""
    faults, services = [], {}
    with Trial(root, engine, tag, say) as trial:
        for name in SERVICES:
            services[name] = trial.start(name)
        bought = trial.order()
        for name in DATABASES:
            services[name]["late_database"] = trial.late_database(name)
        for name in reversed(SERVICES):
            services[name] |= trial.stop(name)
    for name, seen in services.items():
        late = seen.get("late_database", {"ready_s": 0, "ready_without_database": False})
        for what, seconds in (("its start", seen["ready_s"]), ("its database", late["ready_s"])):
            if seconds > READY_MAX_S:
                faults.append(f"{name} is ready {seconds} s after {what}")
        if late["ready_without_database"]:
            faults.append(f"{name} is ready without its database")
        if seen["healthcheck"] != 0 or seen["engine_says"] != "healthy":
            faults.append(f"{name} is ready, and its healthcheck says otherwise")
        if seen["exit"] != 0:
            faults.append(f"{name} exits {seen['exit']} when it is stopped")
    if not bought["state"].endswith("CONFIRMED"):
        faults.append(f"the order is {bought['state']}")
    return {"pass": not faults, "faults": faults, "order": bought, "services": services}
