"""Who reaches whom: by the NetworkPolicies, and by what settings, variables and routes say.

Both are sets of (from, to, port, protocol) over all pods of a release, and strangers of all
kinds around it. They must be equal: one edge less is an outage, one more is a hole.
"""

import re
from urllib.parse import urlsplit

import yaml
from charts import PROCESSES
from form import WORKLOADS
from network import Policies, matches, outside, pod
from references import template_of

PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
NAME = "app.kubernetes.io/name"
INTERNET = outside("the internet", "203.0.113.9")
PRIVATE = outside("a private address", "10.9.8.7")
MACHINE = outside("what a cloud tells its machines", "169.254.169.254")
DNS = pod("DNS", "kube-system", {"k8s-app": "kube-dns"})
PROMETHEUS = pod("Prometheus", "monitoring", {NAME: "prometheus"})
CONTROLLER = pod("the ingress controller", "ingress-nginx", {NAME: "ingress-nginx"})
GATEWAY = pod("the gateway", "gateways", {"gateway.networking.k8s.io/gateway-name": "public"})
ISTIOD = pod("istiod", "istio-system", {"app": "istiod"})
FAR = pod("a stranger elsewhere", "elsewhere", {NAME: "order-service"})
# Asked of everybody, beside the ports that somebody uses.
ANYWAY = {(22, "TCP"), (80, "TCP"), (443, "TCP"), (9090, "TCP"), (53, "TCP"), (53, "UDP"), (5432, "TCP"), (6379, "TCP")}
# What our charts install, by the label of its pods.
SIMULATOR = "payment-simulator"


class Scene:
    def __init__(self, documents, namespace):
        self.documents, self.namespace = documents, namespace
        self.pods = {}
        for document in documents:
            if document["kind"] in WORKLOADS | {"Pod"}:
                template = template_of(document)
                ports = [
                    (port["name"], port["containerPort"])
                    for container in template["spec"]["containers"]
                    for port in container.get("ports") or []
                ]
                name = document["metadata"]["name"]
                self.pods[name] = (pod(name, namespace, template["metadata"]["labels"], ports), template, document)
        self.services = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Service"}
        names = {dict(end.labels)[NAME] for end, _, _ in self.pods.values()}
        labels = [name for name in PROCESSES if name not in names]
        # Of the other charts, in releases of their own, and one that nobody knows.
        self.others = [pod(f"{name} of another release", namespace, {NAME: name}) for name in labels]
        self.stranger = pod("a stranger", namespace, {"app": "stranger"})
        self.around = [
            *self.others, self.stranger, FAR, INTERNET, PRIVATE, MACHINE, DNS, PROMETHEUS, CONTROLLER, GATEWAY, ISTIOD,
        ]  # fmt: skip

    def ours(self):
        return [end for end, _, _ in self.pods.values()]

    def allowed(self):
        """By the policies."""
        policies = Policies(self.documents, self.namespace)
        everybody = [*self.ours(), *self.around]
        ports = ANYWAY | {(port, "TCP") for end in self.ours() for _, port in end.ports}
        ports |= {(port, protocol) for _, _, port, protocol in self.wanted()}
        return {
            (source.name, target.name, port, protocol)
            for source in everybody
            for target in everybody
            # Between strangers it is not our affair.
            if source != target and (source in self.ours() or target in self.ours())
            for port, protocol in ports
            if policies.reaches(source, target, port, protocol)
        }

    def wanted(self):
        """By settings, variables and routes."""
        edges = set()
        for end, template, document in self.pods.values():
            is_store = document["kind"] == "StatefulSet"
            if not is_store:
                edges |= {(end.name, DNS.name, 53, protocol) for protocol in ("TCP", "UDP")}
                if is_served(template) and any(d["kind"] == "DestinationRule" for d in self.documents):
                    edges.add((end.name, ISTIOD.name, 15012, "TCP"))
            for key, url in self.urls(template):
                edges |= {(end.name, target.name, port, "TCP") for target, port in self.targets(key, url)}
        edges |= self.from_outside()
        return edges

    def urls(self, template):
        """All that the containers call, with the setting or variable that says so."""
        config = settings_of(template, self.documents)
        for section, key in URLS if is_served(template) else [("database", "url")]:
            value = (config.get(section) or {}).get(key)
            if value:
                yield f"{section}.{key}", value
        for container in template["spec"]["containers"]:
            for variable in container.get("env") or []:
                if re.match(r"CARTWRIGHT_\w+_URL$|OTEL_EXPORTER_OTLP_(\w+_)?ENDPOINT$", variable["name"]):
                    # Tests of orders look at payments through orders.
                    if variable["name"] in called_by(container):
                        yield variable["name"], variable["value"]

    def targets(self, key, url):
        parts = urlsplit(url)
        if parts.scheme == "file":
            return
        host, port = parts.hostname, parts.port or PORTS[parts.scheme]
        name, _, rest = host.partition(".")
        is_service = not rest or re.match(r"[^.]+\.svc(\.|$)", rest)
        if name in self.services and (not rest or rest.split(".")[0] == self.namespace):
            service = self.services[name]["spec"]
            for end in self.ours():
                if matches({"matchLabels": service["selector"]}, end.labels):
                    yield end, dict(end.ports)[port_of(service, port)["targetPort"]]
        elif is_service:
            namespace = rest.split(".")[0] or self.namespace
            known = next((process for process in PROCESSES if process in name), None)
            ends = [end for end in [*self.around, *self.ours()] if end.namespace == namespace]
            for end in ends:
                # The pods of a Service that we do not know may be any.
                if known is None or dict(end.labels).get(NAME) == known:
                    if end not in self.ours():
                        yield end, port
        elif re.match(r"[0-9.]+$", host):
            yield from ((end, port) for end in self.around if end.address == host)
        else:
            yield INTERNET, port
            # A store outside of the cluster may be at a private address.
            if key not in PUBLIC:
                yield PRIVATE, port

    def from_outside(self):
        edges = set()
        for end, template, document in self.pods.values():
            if not is_served(template):
                continue
            container = template["spec"]["containers"][0]
            ports = dict(end.ports)
            edges.add((PROMETHEUS.name, end.name, ports["private"], "TCP"))
            process = container["name"]
            for caller, callee, port in CALLS:
                if callee == process:
                    edges |= {(other.name, end.name, ports[port], "TCP") for other in self.others if is_a(other, caller)}
            edges |= {
                (source.name, end.name, ports[port], "TCP")
                for source, name, port in self.routes()
                if matches({"matchLabels": self.services[name]["spec"]["selector"]}, end.labels)
            }
        return edges

    def routes(self):
        """Who lets in, to which Service, at which named port of its pods."""
        for document in self.documents:
            spec = document.get("spec") or {}
            if document["kind"] == "Ingress":
                for rule in spec["rules"]:
                    for path in rule["http"]["paths"]:
                        service = path["backend"]["service"]
                        port = service["port"].get("name") or service["port"]["number"]
                        yield CONTROLLER, service["name"], self.named(service["name"], port)
            if document["kind"] in {"HTTPRoute", "GRPCRoute"}:
                for rule in spec["rules"]:
                    for target in rule["backendRefs"]:
                        yield GATEWAY, target["name"], self.named(target["name"], target["port"])
            if document["kind"] == "VirtualService" and set(spec.get("gateways") or []) - {"mesh"}:
                for rule in spec["http"]:
                    for route in rule["route"]:
                        name = route["destination"]["host"].split(".")[0]
                        if name not in self.services:
                            # A canary is a release of its own.
                            continue
                        port = route["destination"].get("port", {}).get("number")
                        ports = [port] if port else [one["port"] for one in self.services[name]["spec"]["ports"]]
                        yield from ((GATEWAY, name, self.named(name, one)) for one in ports)

    def named(self, service, port):
        return port_of(self.services[service]["spec"], port)["targetPort"]


URLS = [
    ("database", "url"),
    ("redis", "url"),
    ("inventory", "url"),
    ("payment", "url"),
    ("provider", "base_url"),
    ("webhooks", "url"),
    ("auth", "jwks_url"),
    ("telemetry", "otlp_endpoint"),
]
PUBLIC = {"provider.base_url", "auth.jwks_url"}
# Which process calls which, by which port: the other half of the settings of those who are in
# other releases. `order-service-test` puts items on the shelf.
CALLS = [
    ("order-service", "inventory-service", "grpc"),
    ("order-service", "payment-service", "grpc"),
    ("payment-service", "payment-simulator", "http"),
]


def is_served(template):
    return any(container.get("args") == ["serve"] for container in template["spec"]["containers"])


def is_a(end, process):
    return dict(end.labels).get(NAME) == process


def called_by(container):
    """Variables of the client that its command uses."""
    words = container.get("args") or []
    own = {"order": "CARTWRIGHT_ORDER_URL", "payment": "CARTWRIGHT_PAYMENT_URL", "stock": "CARTWRIGHT_INVENTORY_URL"}
    if words == ["serve"] or words == ["migrate"]:
        return {variable["name"] for variable in container.get("env") or [] if variable["name"].startswith("OTEL_")}
    if "demo" in words:
        return {"CARTWRIGHT_ORDER_URL", "CARTWRIGHT_INVENTORY_URL"}
    return {own[word] for word in words if word in own}


def port_of(service, port):
    return next(one for one in service["ports"] if port in (one["port"], one.get("name")))


def settings_of(template, documents):
    """What is in the settings file that these pods mount."""
    for volume in template["spec"].get("volumes") or []:
        if volume["name"] == "settings":
            name = volume["configMap"]["name"]
            found = [d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == name]
            return yaml.safe_load(found[0]["data"]["settings.yaml"]) or {}
    return {}


def findings(documents, namespace):
    scene = Scene(documents, namespace)
    wanted, allowed = scene.wanted(), scene.allowed()
    for source, target, port, protocol in sorted(wanted - allowed):
        yield f"{source} has to reach {target} at {port}/{protocol}, and must not"
    for source, target, port, protocol in sorted(allowed - wanted):
        yield f"{source} may reach {target} at {port}/{protocol}, which nothing needs"
