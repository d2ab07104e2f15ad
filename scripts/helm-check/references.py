"""Whether what is named is there: ports, volumes, accounts, and what routes and scalers point to."""

from form import WORKLOADS
from network import matches

# They make a Secret of their own name, or of the one that they say.
SECRETS = {
    "Secret": lambda d: d["metadata"]["name"],
    "SealedSecret": lambda d: d["metadata"]["name"],
    "ExternalSecret": lambda d: (d["spec"].get("target") or {}).get("name") or d["metadata"]["name"],
    "Certificate": lambda d: d["spec"]["secretName"],
}

AGENTS_VOLUME = "vault.hashicorp.com/agent-service-account-token-volume-name"


def findings(documents, elsewhere=frozenset()):
    """`elsewhere` are names of Secrets and Services that others make."""
    by_kind = {"elsewhere": dict.fromkeys(elsewhere)}
    for document in documents:
        by_kind.setdefault(document["kind"], {})[document["metadata"]["name"]] = document
    secrets, configs = set(elsewhere), set(elsewhere) | by_kind.get("ConfigMap", {}).keys()
    for kind, name in SECRETS.items():
        secrets |= {name(document) for document in by_kind.get(kind, {}).values()}
    pods = [d for d in documents if d["kind"] in WORKLOADS | {"Pod"}]
    for document in pods:
        yield from prefixed(document, of_pod(document, by_kind, configs, secrets))
    for kind, check in CHECKS.items():
        for document in by_kind.get(kind, {}).values():
            yield from prefixed(document, check(document, by_kind, documents))


def prefixed(document, found):
    return [f"{document['kind']}/{document['metadata']['name']}: {one}" for one in found]


def template_of(document):
    return document if document["kind"] == "Pod" else document["spec"]["template"]


def of_pod(owner, by_kind, configs, secrets):
    template = template_of(owner)
    spec = template["spec"]
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or []}
    claims = (owner.get("spec") or {}).get("volumeClaimTemplates") or []
    volumes |= {claim["metadata"]["name"]: claim for claim in claims}
    if len(volumes) - len(claims) != len(spec.get("volumes") or []):
        yield "two volumes have one name"
    account = spec.get("serviceAccountName", "default")
    # A hook runs before the accounts of the release are there.
    if account != "default" and account not in by_kind.get("ServiceAccount", {}) and not is_hook(owner):
        yield f"there is no ServiceAccount {account}"
    for container in containers:
        yield from of_container(container, volumes)
        for source in [one.get("valueFrom") or {} for one in container.get("env") or []]:
            yield from of_source(source.get("configMapKeyRef"), source.get("secretKeyRef"), configs, secrets)
        for source in container.get("envFrom") or []:
            yield from of_source(source.get("configMapRef"), source.get("secretRef"), configs, secrets)
    used = {mount["name"] for container in containers for mount in container.get("volumeMounts") or []}
    # The agent of Vault adds a container that has it.
    agents = (template["metadata"].get("annotations") or {}).get(AGENTS_VOLUME)
    for name in volumes.keys() - used - {agents}:
        yield f"the volume {name} is mounted nowhere"
    for volume in volumes.values():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            secret = source.get("secret")
            secret = secret and {"name": secret.get("secretName") or secret.get("name")} | secret
            yield from of_source(source.get("configMap"), secret, configs, secrets)


def of_source(config_map, secret, configs, secrets):
    if config_map and not config_map.get("optional") and config_map["name"] not in configs:
        yield f"there is no ConfigMap {config_map['name']}"
    if secret and not secret.get("optional") and secret["name"] not in secrets:
        yield f"there is no Secret {secret['name']}"


def of_container(container, volumes):
    where = f"container {container['name']}"
    ports = {port["name"]: port["containerPort"] for port in container.get("ports") or [] if "name" in port}
    if len(ports) != len(container.get("ports") or []):
        yield f"{where}: ports need names, each its own"
    for name in ports:
        if len(name) > 15:
            yield f"{where}: the name of the port {name} has more than 15 characters"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for action in ("httpGet", "tcpSocket"):
            port = ((container.get(probe) or {}).get(action) or {}).get("port")
            if port is not None and port not in ports and port not in ports.values():
                yield f"{where}: {probe} asks at {port}, where nothing listens"
    paths = [mount["mountPath"] for mount in container.get("volumeMounts") or []]
    if len(paths) != len(set(paths)):
        yield f"{where}: two volumes are mounted at one path"
    for mount in container.get("volumeMounts") or []:
        if mount["name"] not in volumes:
            yield f"{where}: there is no volume {mount['name']}"
    names = [variable["name"] for variable in container.get("env") or []]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"{where}: the variable {name} is set twice"


def is_hook(document):
    return "helm.sh/hook" in (document["metadata"].get("annotations") or {})


def of_service(document, by_kind, documents):
    selector = document["spec"].get("selector")
    if not selector:
        return
    chosen = [
        template_of(d)
        for d in documents
        if d["kind"] in {"Deployment", "StatefulSet"}
        and matches({"matchLabels": selector}, template_of(d)["metadata"]["labels"].items())
    ]
    if len(chosen) != 1:
        yield f"selects the pods of {len(chosen)} workloads"
        return
    ports = [port for container in chosen[0]["spec"]["containers"] for port in container.get("ports") or []]
    known = {port.get("name") for port in ports} | {port["containerPort"] for port in ports}
    for port in document["spec"]["ports"]:
        if port.get("targetPort", port["port"]) not in known:
            yield f"sends to {port.get('targetPort')}, where no container listens"


def has_port(services, name, port):
    service = services.get(name)
    if not service:
        return f"there is no Service {name}"
    ports = service["spec"]["ports"]
    if port not in {one.get("name") for one in ports} | {one["port"] for one in ports}:
        return f"the Service {name} has no port {port}"
    return None


def of_ingress(document, by_kind, _):
    for rule in document["spec"].get("rules") or []:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            port = service["port"].get("name") or service["port"].get("number")
            if fault := has_port(by_kind.get("Service", {}), service["name"], port):
                yield fault


def of_route(document, by_kind, _):
    for rule in document["spec"].get("rules") or []:
        for target in rule.get("backendRefs") or []:
            if fault := has_port(by_kind.get("Service", {}), target["name"], target["port"]):
                yield fault


def of_scaler(document, by_kind, _):
    target = document["spec"].get("scaleTargetRef") or document["spec"].get("targetRef")
    workload = by_kind.get(target.get("kind", "Deployment"), {}).get(target["name"])
    if not workload:
        yield f"there is no {target.get('kind', 'Deployment')} {target['name']}"
    elif document["kind"] != "VerticalPodAutoscaler" and "replicas" in workload["spec"]:
        yield f"{target['name']} says itself how many replicas it has, which every upgrade would set back"


def of_selector_of_pods(document, by_kind, documents):
    selector = document["spec"].get("selector") or document["spec"].get("podSelector") or {}
    pods = [template_of(d) for d in documents if d["kind"] in WORKLOADS | {"Pod"}]
    if not any(matches(selector, (pod["metadata"].get("labels") or {}).items()) for pod in pods):
        yield "selects no pod"


def of_monitor(document, by_kind, _):
    selector = document["spec"]["selector"]
    services = by_kind.get("Service", {}).values()
    chosen = [one for one in services if matches(selector, one["metadata"]["labels"].items())]
    if len(chosen) != 1:
        yield f"selects {len(chosen)} Services: each pod would be asked as often"
    for endpoint in document["spec"]["endpoints"]:
        for service in chosen:
            if endpoint.get("port") not in {port.get("name") for port in service["spec"]["ports"]}:
                yield f"the Service {service['metadata']['name']} has no port {endpoint.get('port')}"


def of_istio(document, by_kind, _):
    spec = document["spec"]
    hosts = [spec["host"]] if "host" in spec else []
    for kind in ("http", "tcp", "tls"):
        for rule in spec.get(kind) or []:
            hosts += [route["destination"]["host"] for route in rule.get("route") or []]
    for host in hosts:
        if host.split(".")[0] not in by_kind.get("Service", {}) | by_kind["elsewhere"]:
            yield f"there is no Service {host}"


def of_binding(document, by_kind, _):
    role = document["roleRef"]
    if role["name"] not in by_kind.get(role["kind"], {}):
        yield f"there is no {role['kind']} {role['name']}"


CHECKS = {
    "Service": of_service,
    "Ingress": of_ingress,
    "HTTPRoute": of_route,
    "GRPCRoute": of_route,
    "HorizontalPodAutoscaler": of_scaler,
    "ScaledObject": of_scaler,
    "VerticalPodAutoscaler": of_scaler,
    "PodDisruptionBudget": of_selector_of_pods,
    "NetworkPolicy": of_selector_of_pods,
    "ServiceMonitor": of_monitor,
    "VirtualService": of_istio,
    "DestinationRule": of_istio,
    "RoleBinding": of_binding,
}
