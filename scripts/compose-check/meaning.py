"""Whether the files that the containers are given fit to the containers, and to each
other. Functions yield what is wrong.
"""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from containers import OURS, PRIVATE_PORT, is_ours

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = ROOT / "deploy/compose"
DATABASES = {"order-service": "orders", "payment-service": "payments", "inventory-service": "inventory"}
# The first waits for the second, also by way of others.
ORDER = [
    ("order-service", "inventory-service"), ("order-service", "payment-service"),
    ("order-service", "orders-migrate"), ("payment-service", "payments-migrate"),
    ("inventory-service", "inventory-migrate"), ("payment-service", "payment-simulator"),
    ("orders-migrate", "postgres"), ("payments-migrate", "postgres"),
    ("inventory-migrate", "postgres"), ("order-service", "redis"),
    ("payment-service", "redis"), ("inventory-service", "redis"),
    ("grafana", "tempo"), ("grafana", "loki"), ("grafana", "prometheus"),
]  # fmt: skip


def problems(project):
    services = project["services"]
    yield from images(services)
    yield from waits(services)
    yield from mounts(services)
    for name in sorted(OURS & services.keys()):
        yield from (f"{name}: {problem}" for problem in settings(name, services))
    yield from scraped(services)
    yield from shown(services)
    yield from collected(services)


def images(services):
    """Ours are stages of the Dockerfile that say how healthy they are."""
    stages = dict(
        re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", (ROOT / "docker/Dockerfile").read_text(), re.M | re.S)
    )
    for name, service in services.items():
        if not is_ours(service):
            continue
        stage = service["image"].removeprefix("cartwright/").removesuffix(":dev")
        if "HEALTHCHECK" not in stages.get(stage, ""):
            yield f"{name}: docker/Dockerfile has no stage {stage} with a HEALTHCHECK"
        if name in OURS and stage != name:
            yield f"{name}: runs {stage}"


def waits(services):
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if other not in services:
                yield f"{name}: waits for {other}, which its profile leaves out"
                continue
            ends = services[other].get("command") == ["migrate"]
            condition = "service_completed_successfully" if ends else "service_healthy"
            if how["condition"] != condition:
                yield f"{name}: has to wait for {other} by {condition}"
            elif not ends and not asks(services[other]):
                yield f"{name}: waits for the health of {other}, which nobody asks for"
    for name, other in ORDER:
        if name in services and other not in before(services, name):
            yield f"{name}: does not wait for {other}"


def asks(service):
    check = service.get("healthcheck", {})
    return not check.get("disable") and (is_ours(service) or bool(check.get("test")))


def before(services, name):
    found, look = set(), [name]
    while look:
        for other in services[look.pop()].get("depends_on", {}):
            if other in services and other not in found:
                found.add(other)
                look.append(other)
    return found


def mounts(services):
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = Path(volume.get("source", ""))
            made = ROOT / ".run" in source.parents
            if volume["type"] == "bind" and not made and not source.exists():
                yield f"{name}: there is no {source}"
            if made and volume.get("bind", {}).get("create_host_path") is not False:
                yield f"{name}: Docker would make {source} as root's when it is missing"


def settings(name, services):
    service = services[name]
    inside = service["environment"]["CARTWRIGHT_CONFIG"]
    file = on_host(service, inside)
    if not file or not file.is_file():
        yield f"there is no {inside} in the container"
        return
    values = tomllib.loads(file.read_text())
    schema = json.loads((ROOT / "docs/settings.json").read_text())[name]
    yield from unknown(values, schema, "")
    listened = {section["listen"].rpartition(":")[2] for section in values.values() if "listen" in section}
    published = {str(port["target"]) for port in service.get("ports", [])}
    if listened != published:
        yield f"listens on {sorted(listened)}, and {sorted(published)} are published"
    if name in DATABASES and urlsplit(values["database"]["url"]).path != f"/{DATABASES[name]}":
        yield f"its database is {DATABASES[name]}"
    for key, value in leaves(values):
        url = urlsplit(value) if isinstance(value, str) and "://" in value else None
        if key.endswith("_file") or (url and url.scheme == "file"):
            path = url.path if url else value
            if not any(path.startswith(volume["target"] + "/") for volume in service["volumes"]):
                yield f"{key}: nothing is mounted at {path}"
        elif url and key != "api.public_url":
            yield from reached(f"{key}: {value}", url, services)


def reached(what, url, services):
    """Another container, at a port that it listens on."""
    target = services.get(url.hostname)
    if not target:
        yield f"{what} leads to no container"
    elif is_ours(target) and url.port not in {port["target"] for port in target["ports"]}:
        yield f"{what}: nothing listens there"


def on_host(service, inside):
    for volume in service["volumes"]:
        if inside.startswith(volume["target"] + "/"):
            return Path(volume["source"]) / inside.removeprefix(volume["target"] + "/")


def unknown(values, schema, path):
    for key, value in values.items():
        known = schema.get("properties", {})
        if key not in known:
            yield f"there is no setting {path}{key}"
        elif isinstance(value, dict):
            yield from unknown(value, known[key], f"{path}{key}.")


def leaves(values, path=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def scraped(services):
    """Every process of ours, by its name, as rules and dashboards expect it."""
    if "prometheus" not in services:
        return
    text = (COMPOSE / "prometheus.yaml").read_text()
    jobs = dict(re.findall(r'job_name: (\S+)\n\s+static_configs:\n\s+- targets: \["(\S+)"\]', text))
    for name in sorted(OURS):
        if jobs.pop(name, None) != f"{name}:{PRIVATE_PORT}":
            yield f"prometheus: {name} is not scraped at {name}:{PRIVATE_PORT}"
    for job, target in jobs.items():
        if target.split(":")[0] not in services:
            yield f"prometheus: the job {job} asks {target}, which is no container"


def shown(services):
    """Grafana's files are told where everything is."""
    if "grafana" not in services:
        return
    grafana = services["grafana"]
    for file in (ROOT / "deploy/grafana/provisioning").glob("*.yaml"):
        for variable in re.findall(r"(?<!\$)\$\{(\w+)\}", file.read_text()):
            value = grafana["environment"].get(variable)
            if value is None:
                yield f"grafana: {file.name} asks for {variable}"
            elif "://" in value:
                yield from reached(f"grafana: {variable}", urlsplit(value), services)
            elif not on_host(grafana, value + "/"):
                yield f"grafana: nothing is mounted at {value}"


def collected(services):
    """The collector is of the version that its configuration was made for, and sends
    to containers; and the services send to it."""
    if "collector" not in services:
        return
    version = re.search(r"^  version: (\S+)$", (ROOT / "deploy/collector/builder.yaml").read_text(), re.M)[1]
    if not services["collector"]["image"].endswith(f":{version}"):
        yield f"collector: collector/builder.yaml is of version {version}"
    text = (ROOT / "deploy/collector/config.yaml").read_text()
    for variable, address in re.findall(r"env:(\w+_ENDPOINT):-([^}]+)\}", text):
        address = services["collector"]["environment"].get(variable, address)
        url = urlsplit(address if "://" in address else f"//{address}")
        yield from reached(f"collector: {variable}", url, services)
    for name in sorted(OURS):
        if services[name]["environment"].get("OTEL_EXPORTER_OTLP_ENDPOINT") != "http://collector:4317":
            yield f"{name}: does not send to the collector"
        if services[name]["environment"].get("OTEL_METRICS_EXPORTER") != "prometheus":
            yield f"{name}: sends metrics that Prometheus comes for as well"
