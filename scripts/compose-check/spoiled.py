"""Proves that the checks can fail: each of these spoils one thing of a good project."""

import copy

SPOILED = {
    "memory for everything": lambda s: s["tempo"].update(mem_limit="1g"),
    "no limit of memory": lambda s: s["redis"].pop("mem_limit"),
    "no limit of processors": lambda s: s["loki"].pop("cpus"),
    "Go may use all memory": lambda s: s["loki"]["environment"].update(GOMEMLIMIT="300MiB"),
    "a version that moves": lambda s: s["grafana"].update(image="grafana/grafana:latest"),
    "half a version": lambda s: s["redis"].update(image="redis:7.4-bookworm"),
    "another collector": lambda s: s["collector"].update(image="otel/opentelemetry-collector-contrib:0.1.0"),
    "ours from a registry": lambda s: s["order-service"].pop("pull_policy"),
    "root": lambda s: s["postgres"].update(user="0:0"),
    "no user": lambda s: s["prometheus"].pop("user"),
    "a writable file system": lambda s: s["grafana"].pop("read_only"),
    "a capability": lambda s: s["postgres"].update(cap_add=["SYS_ADMIN"]),
    "the engine's socket": lambda s: s["loki"]["volumes"].append(
        {"type": "bind", "source": "/var/run/docker.sock", "target": "/s", "read_only": True}
    ),
    "open to the network": lambda s: s["redis"]["ports"][0].update(host_ip="0.0.0.0"),
    "the private port": lambda s: s["order-service"]["ports"][1].update(target=9090),
    "one port twice": lambda s: s["redis"]["ports"][0].update(published="15432"),
    "started too soon": lambda s: s["order-service"]["depends_on"]["payment-service"].update(
        condition="service_started"
    ),
    "no migration": lambda s: s["inventory-service"]["depends_on"].pop("inventory-migrate"),
    "health that nobody asks for": lambda s: s["loki"].pop("healthcheck"),
    "another program": lambda s: s["order-service"].update(image="cartwright/payment-service:dev"),
    "an image that is not built": lambda s: s["orders-migrate"].update(image="cartwright/orders:dev"),
    "another file of settings": lambda s: s["payment-service"]["environment"].update(
        CARTWRIGHT_CONFIG="/etc/cartwright/order-service.toml"
    ),
    "no keys": lambda s: s["order-service"]["volumes"].pop(1),
    "no peer": lambda s: s.pop("redis"),
    "telemetry to nowhere": lambda s: s["payment-service"]["environment"].update(
        OTEL_EXPORTER_OTLP_ENDPOINT=""
    ),
    "a dashboard without its place": lambda s: s["grafana"]["environment"].pop("DASHBOARDS"),
}


def problems(project, check):
    for what, spoil in SPOILED.items():
        spoiled = copy.deepcopy(project)
        spoil(spoiled["services"])
        if not check(spoiled):
            yield f"the check does not see: {what}"
