"""What charts promise of the processes, asked of the processes themselves.

Settings are given to `config check` of the real program, with stand-ins for its secrets; and
the program is started with them, elsewhere, to ask at the paths of the probes.
"""

import functools
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from charts import PROCESSES, ROOT
from edges import settings_of
from form import WORKLOADS
from references import template_of

SETTINGS = ROOT / "docs/settings.json"
HOME = "/etc/cartwright"
RESOURCE = ROOT / "crates/telemetry/src/resource/kubernetes.rs"
# What stands in for secrets: anything, where nothing is said.
STAND_INS = {
    "database-url": "postgres://shop@127.0.0.1:1/shop",
    "redis-url": "redis://127.0.0.1:1",
    "jwks.json": '{"keys": []}',
    "webhook": "whsec_c3RhbmQtaW4=",
}


@functools.cache
def programs():
    """The newest of each that was built, by name; or none, where something is missing."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    folders = [target / "debug", target / "release", ROOT / ".run/bin"]
    found = {}
    for name in PROCESSES:
        built = [folder / name for folder in folders if (folder / name).exists()]
        if built:
            found[name] = max(built, key=lambda path: path.stat().st_mtime)
    return found if len(found) == len(PROCESSES) else {}


def version_findings():
    """The programs must be those that docs/settings.json is about."""
    known = json.loads(SETTINGS.read_text())
    for name, program in programs().items():
        done = subprocess.run([program, "config", "reference", "--output", "json"], capture_output=True, text=True)
        if done.returncode != 0 or json.loads(done.stdout) != known[name]:
            yield f"{program} has other settings than docs/settings.json: build it anew (cargo build --workspace --bins)"


def replicas(documents):
    for document in documents:
        if document["kind"] in WORKLOADS:
            template = template_of(document)
            for container in [*(template["spec"].get("initContainers") or []), *template["spec"]["containers"]]:
                if container.get("args") in (["serve"], ["migrate"]):
                    yield document, template, container


def process_of(container, template):
    """By the image, since a migration has another name."""
    name = container["image"].split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    if name not in PROCESSES:
        name = template["spec"]["containers"][0]["name"]
    return name


def variables(container, name):
    """Those that the process reads."""
    schema = json.loads(SETTINGS.read_text())[name]
    downward = set(re.findall(r'"(K8S_\w+)"', RESOURCE.read_text()))
    for variable in container.get("env") or []:
        key = variable["name"]
        if key == "CARTWRIGHT_CONFIG" or key in downward or re.match(r"OTEL_[A-Z_]+$", key):
            continue
        path = key.removeprefix("CARTWRIGHT__").lower().split("__")
        if not key.startswith("CARTWRIGHT__") or not has_key(schema, path):
            yield f"{name} does not read the variable {key}"


def has_key(schema, path):
    node = schema
    for part in path:
        node = resolved(node, schema)
        properties = node.get("properties") or {}
        if part not in properties:
            return False
        node = properties[part]
    return True


def resolved(node, schema):
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in node:
            node = next((one for one in node["anyOf"] if one.get("type") != "null"), node["anyOf"][0])
        elif len(node.get("allOf") or []) == 1:
            node = node["allOf"][0]
        else:
            return node


def times(document, container, config):
    """The pod must live as long as the drain may take."""
    drain = config.get("drain") or {}
    sleep = ((container.get("lifecycle") or {}).get("preStop") or {}).get("sleep", {}).get("seconds", 0)
    needed = sleep + (drain.get("endpoint_removal_ms", 0) + drain.get("deadline_ms", 10_000)) / 1000 + 6
    given = template_of(document)["spec"].get("terminationGracePeriodSeconds", 30)
    if container.get("args") == ["serve"] and given < needed:
        yield f"is killed after {given} s, while its drain may take {needed:g} s"
    if container.get("args") == ["serve"] and not sleep and not drain.get("endpoint_removal_ms"):
        yield "stops before balancers can know: neither preStop nor drain.endpoint_removal_ms is set"


def ports(container, config):
    """Container ports are those where the settings say that it listens."""
    named = {port["name"]: port["containerPort"] for port in container.get("ports") or []}
    if container.get("args") != ["serve"]:
        return
    listens = {"private": config.get("private_listen", "0.0.0.0:9090")}
    for name, section in (("grpc", "server"), ("http", "http"), ("http", "api")):
        if section in config and "listen" in config[section]:
            listens[name] = config[section]["listen"]
    for name, address in listens.items():
        host, _, port = address.rpartition(":")
        if named.get(name) != int(port):
            yield f"the port {name} is {named.get(name)}, but the process listens at {address}"
        if host not in ("0.0.0.0", "[::]"):
            yield f"{name} listens at {address} only"
    for name in named.keys() - listens.keys():
        yield f"nothing listens at the port {name}"


class Stage:
    """A folder that has what a pod has below /etc/cartwright, with stand-ins."""

    def __init__(self, folder, template, container, documents):
        self.folder = Path(folder)
        config = settings_of(template, documents)
        text = yaml.safe_dump(config)
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts") or []]
        self.missing = []
        for path in sorted(set(re.findall(rf"{HOME}/[^\s\"'?&]+", text))):
            if not any(path.startswith(f"{mount}/") for mount in mounts) and not is_vault(template):
                self.missing.append(f"the settings name {path}, where nothing is mounted")
            self.make(path)
        self.settings = self.folder / "settings.yaml"
        self.config = yaml.safe_load(text.replace(HOME, str(self.folder)))
        self.write()

    def write(self):
        self.settings.write_text(yaml.safe_dump(self.config))

    def make(self, path):
        file = self.folder / path.removeprefix(f"{HOME}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.parent.name == "tls" or file.name == "ca.crt":
            return certificate(file)
        text = next((text for word, text in STAND_INS.items() if word in file.name), "a-stand-in-of-a-secret")
        file.write_text(text)


def is_vault(template):
    return "vault.hashicorp.com/agent-inject" in (template["metadata"].get("annotations") or {})


@functools.cache
def made_certificate():
    with tempfile.TemporaryDirectory() as folder:
        key, cert = Path(folder, "key"), Path(folder, "cert")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=stand-in", "-addext", "subjectAltName=DNS:stand-in"],
            check=True, capture_output=True,
        )  # fmt: skip
        return key.read_text(), cert.read_text()


def certificate(file):
    key, cert = made_certificate()
    file.write_text(key if file.suffix == ".key" else cert)


def config_check(program, stage, environment):
    done = subprocess.run(
        [program, "--config", stage.settings, "config", "check"],
        capture_output=True, text=True, check=False, cwd=stage.folder, env=environment,
    )  # fmt: skip
    if done.returncode != 0:
        yield f"refuses its settings: {done.stderr.strip() or done.stdout.strip()}"


def environment_of(container):
    """What the container sets itself; what the cluster would fill in is some word."""
    found = {"PATH": os.environ["PATH"]}
    for variable in container.get("env") or []:
        if variable["name"] != "CARTWRIGHT_CONFIG":
            found[variable["name"]] = variable.get("value", "stand-in")
    return found


def findings(documents, asked=None):
    """`asked` remembers which settings have been shown to which program already."""
    for document, template, container in replicas(documents):
        name = process_of(container, template)
        where = f"{document['kind']}/{document['metadata']['name']}, {container['name']}"
        config = settings_of(template, documents)
        found = [*variables(container, name), *ports(container, config), *times(document, container, config)]
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(folder, template, container, documents)
            found += stage.missing
            key = json.dumps([name, config, container.get("env")], sort_keys=True)
            if name in programs() and (asked is None or key not in asked):
                found += config_check(programs()[name], stage, environment_of(container))
                if asked is not None:
                    asked.add(key)
        yield from (f"{where}: {one}" for one in found)


def probes(documents):
    """Starts each process with its settings, elsewhere, and asks where the probes ask."""
    for document, template, container in replicas(documents):
        name = process_of(container, template)
        if container.get("args") != ["serve"] or name not in programs():
            continue
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(folder, template, container, documents)
            yield from (f"{name}: {one}" for one in asked_probes(programs()[name], stage, container))


def asked_probes(program, stage, container):
    private = free_port()
    move(stage.config, private)
    stage.write()
    with open(stage.folder / "log", "w+") as log:
        process = subprocess.Popen(
            [program, "--config", stage.settings, "serve"], stdout=log, stderr=log, cwd=stage.folder,
            env=environment_of(container),
        )  # fmt: skip
        try:
            if not answers(process, private):
                log.seek(0)
                yield f"does not open its private port: {log.read()[-500:]}"
                return
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                path = container[probe]["httpGet"]["path"]
                status = ask(private, path)
                # Without a database it is not ready; that is an answer, too.
                if status not in {200, 503} or (probe == "livenessProbe" and status != 200):
                    yield f"{probe}: {path} is answered with {status}"
            if ask(private, "/metrics") != 200:
                yield "/metrics does not answer"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def move(config, private):
    """To this machine, where nothing else is to be called."""
    config["private_listen"] = f"127.0.0.1:{private}"
    for section in ("server", "http", "api"):
        if "listen" in config.get(section, {}):
            config[section]["listen"] = "127.0.0.1:0"
    if "books" in config:
        config["books"]["directory"] = "books"
    for section in ("database", "redis"):
        if section in config:
            config[section].pop("url_file", None)
            config[section]["url"] = STAND_INS[f"{section}-url"]
    config.pop("telemetry", None)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(process, port):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if ask(port, "/health/live"):
            return True
        time.sleep(0.1)
    return False


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
