"""What single values do, and with which words bad ones are refused."""

import re

import yaml
from charts import HELM, Case, all_at_once, template
from references import template_of

ORDER, PAYMENT, INVENTORY, SIMULATOR, SHOP = (
    "order-service", "payment-service", "inventory-service", "payment-simulator", "cartwright",
)  # fmt: skip
MISSING = object()


def get(document, path):
    """`spec.template.spec.containers.0.image`; a dot within a key is written `\\.`."""
    at = document
    for part in re.split(r"(?<!\\)\.", path):
        part = part.replace("\\.", ".")
        if isinstance(at, list):
            at = at[int(part)] if part.isdigit() and int(part) < len(at) else MISSING
        else:
            at = at.get(part, MISSING) if isinstance(at, dict) else MISSING
        if at is MISSING:
            return MISSING
    return at


POD = "spec.template.spec"
MAIN = f"{POD}.containers.0"

# Chart, version of Kubernetes, values on top of ci/default-values.yaml, the kind, and what of it is what.
# MISSING: it is not there. A kind alone that is None must not be rendered at all.
DOES = [
    (ORDER, "1.30", {}, "Deployment", {
        "spec.replicas": 2, "spec.strategy.rollingUpdate.maxUnavailable": 0, f"{MAIN}.args": ["serve"],
        f"{POD}.automountServiceAccountToken": False, f"{POD}.enableServiceLinks": False,
        f"{MAIN}.lifecycle.preStop.sleep.seconds": 5, f"{POD}.initContainers.0.args": ["migrate"],
        f"{POD}.securityContext.runAsUser": 65532, f"{MAIN}.securityContext.readOnlyRootFilesystem": True,
        f"{MAIN}.startupProbe.httpGet.path": "/health/startup", f"{POD}.imagePullSecrets": MISSING,
    }),
    (ORDER, "1.29", {}, "Deployment", {f"{MAIN}.lifecycle": MISSING}),
    (ORDER, "1.30", {"preStop": {"sleepSeconds": 40}}, "Deployment", {f"{POD}.terminationGracePeriodSeconds": 56}),
    (ORDER, "1.30", {"replicaCount": 5}, "Deployment", {"spec.replicas": 5}),
    (ORDER, "1.30", {"autoscaling": {"enabled": True}}, "Deployment", {"spec.replicas": MISSING}),
    (ORDER, "1.30", {"autoscaling": {"enabled": True}}, "HorizontalPodAutoscaler", {
        "apiVersion": "autoscaling/v2", "spec.minReplicas": 3, "spec.maxReplicas": 10,
        "spec.metrics.0.resource.name": "cpu", "spec.behavior.scaleDown.stabilizationWindowSeconds": 300,
    }),
    (ORDER, "1.30", {}, {"HorizontalPodAutoscaler": 0, "ScaledObject": 0, "VerticalPodAutoscaler": 0, "Ingress": 0,
        "HTTPRoute": 0, "GRPCRoute": 0, "VirtualService": 0, "ServiceMonitor": 0, "PrometheusRule": 0,
        "Certificate": 0, "Role": 0, "Job": 0, "NetworkPolicy": 2, "PodDisruptionBudget": 1, "Service": 2}, {}),
    (ORDER, "1.30", {"vpa": {"enabled": True}}, "VerticalPodAutoscaler", {"spec.updatePolicy.updateMode": "Off"}),
    (ORDER, "1.30", {"image": {"registry": "r.example", "repository": "a/b", "tag": "2"}}, "Deployment",
        {f"{MAIN}.image": "r.example/a/b:2"}),
    (ORDER, "1.30", {"image": {"digest": "sha256:" + "a" * 64}}, "Deployment",
        {f"{MAIN}.image": "ghcr.io/cartwright-shop/order-service@sha256:" + "a" * 64}),
    (ORDER, "1.30", {"imagePullSecrets": [{"name": "pull"}]}, "Deployment", {f"{POD}.imagePullSecrets": [{"name": "pull"}]}),
    (ORDER, "1.30", {"migration": {"mode": "none"}}, "Deployment", {f"{POD}.initContainers": MISSING}),
    (ORDER, "1.30", {"migration": {"mode": "hook"}}, "Job", {
        "metadata.annotations.helm\\.sh/hook": "pre-install,pre-upgrade", f"{MAIN}.args": ["migrate"]}),
    (ORDER, "1.30", {"networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False},
        "tests": {"enabled": False}}, {"NetworkPolicy": 0, "PodDisruptionBudget": 0, "Pod": 0}, {}),
    (ORDER, "1.30", {"serviceAccount": {"create": False, "name": "theirs"}}, {"ServiceAccount": 0}, {}),
    (ORDER, "1.30", {"serviceAccount": {"create": False, "name": "theirs"}}, "Deployment", {f"{POD}.serviceAccountName": "theirs"}),
    (ORDER, "1.30", {"secrets": {"mode": "existing", "existing": {"name": "theirs"}}}, {"Secret": 0}, {}),
    (ORDER, "1.30", {"priorityClassName": "high", "nodeSelector": {"a": "b"}, "antiAffinity": "hard"}, "Deployment", {
        f"{POD}.priorityClassName": "high", f"{POD}.nodeSelector": {"a": "b"},
        f"{POD}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.topologyKey": "kubernetes.io/hostname",
    }),
    (ORDER, "1.30", {"commonLabels": {"team": "shop"}, "commonAnnotations": {"a": "b"}}, "Deployment", {
        "metadata.labels.team": "shop", "metadata.annotations.a": "b", f"{POD.removesuffix('.spec')}.metadata.labels.team": "shop",
        "spec.selector.matchLabels.team": MISSING}),
    (ORDER, "1.30", {"extraEnv": [{"name": "OTEL_SDK_DISABLED", "value": "true"}]}, "Deployment",
        {f"{MAIN}.env.7.name": "OTEL_SDK_DISABLED"}),
    (PAYMENT, "1.30", {}, "Deployment", {f"{MAIN}.ports.0.containerPort": 50052}),
    (INVENTORY, "1.30", {}, "Deployment", {f"{MAIN}.ports.0.containerPort": 50053}),
    (SIMULATOR, "1.30", {}, "Deployment", {"spec.replicas": 1, "spec.strategy.type": "Recreate"}),
    (SIMULATOR, "1.30", {"persistence": {"enabled": False}}, {"PersistentVolumeClaim": 0}, {}),
    (SHOP, "1.30", {}, {"Deployment": 4, "StatefulSet": 2}, {}),
    (SHOP, "1.30", {"global": {"imageRegistry": "mirror.example"}}, "StatefulSet", {}),
]  # fmt: skip

# Chart, values, and what Helm has to say.
REFUSES = [
    (ORDER, {"auth": {"issuer": ""}}, "auth.issuer is needed"),
    (ORDER, {"auth": {"jwksUrl": ""}}, "auth.jwksUrl"),
    (ORDER, {"database": {"host": ""}}, "database.host is needed"),
    (ORDER, {"redis": {"host": ""}}, "redis.host is needed"),
    (ORDER, {"peers": {"payment": {"host": ""}}}, "peers.payment.host is needed"),
    (ORDER, {"secrets": {"mode": "existing"}}, "secrets.existing.name is needed"),
    (ORDER, {"secrets": {"mode": "external"}}, "secrets.external.storeRef.name is needed"),
    (ORDER, {"secrets": {"mode": "external", "external": {"storeRef": {"name": "s"}}}}, "secrets.external.path is needed"),
    (ORDER, {"secrets": {"mode": "sealed"}}, "secrets.sealed.encryptedData.database-password is needed"),
    (ORDER, {"secrets": {"mode": "vault"}}, "secrets.vault.role is needed"),
    (ORDER, {"secrets": {"mode": "magic"}}, "secrets/mode"),
    (ORDER, {"secrets": {"values": {"database-password": ""}}}, "secrets.values.database-password is needed"),
    (ORDER, {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}, "both would set the number of replicas"),
    (ORDER, {"keda": {"enabled": True}}, "keda.requests.prometheus"),
    (ORDER, {"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}}, "must not be above"),
    (ORDER, {"autoscaling": {"enabled": True, "cpu": {"enabled": False}}}, "switch at least one of"),
    (ORDER, {"podDisruptionBudget": {"maxUnavailable": 0}}, "never lets a pod go"),
    (ORDER, {"podDisruptionBudget": {"minAvailable": "100%"}}, "never lets a pod go"),
    (ORDER, {"ingress": {"rest": {"enabled": True}}}, "ingress.rest.hosts"),
    (ORDER, {"ingress": {"grpc": {"enabled": True, "hosts": ["a.example"], "tls": {"enabled": False}}}}, "ingress.grpc.tls.enabled"),
    (ORDER, {"terminationGracePeriodSeconds": 5}, "the drain may take"),
    (ORDER, {"replicaCount": "two"}, "replicaCount"),
    (ORDER, {"image": {"digest": "sha256:1"}}, "image/digest"),
    (ORDER, {"networkPolicy": {"monitoring": []}}, "nobody is named"),
    (PAYMENT, {"secrets": {"values": {"provider-api-key": ""}}}, "secrets.values.provider-api-key is needed"),
    (SIMULATOR, {"replicaCount": 2}, "replicaCount"),
    (SHOP, {"global": {"trial": False}}, "is needed; see values-production.yaml"),
]  # fmt: skip


def base(chart):
    return yaml.safe_load((HELM / chart / "ci/default-values.yaml").read_text())


def render(chart, values, kube="1.30"):
    return template(Case(chart, str(values)[:80], values=(base(chart), values)), kube=kube)


def does(row):
    chart, kube, values, kind, wanted = row
    rendered = render(chart, values, kube)
    where = f"{chart} with {values}, Kubernetes {kube}"
    if not rendered.ok:
        return [f"{where}: {rendered.error}"]
    if isinstance(kind, dict):
        counts = {one: len(rendered.of(one)) for one in kind}
        return [f"{where}: {one}: {counts[one]} in the place of {number}" for one, number in kind.items() if counts[one] != number]
    found = rendered.of(kind)
    if not found:
        return [f"{where}: there is no {kind}"]
    return [
        f"{where}: {path} is {show(get(found[0], path))}, not {show(value)}"
        for path, value in wanted.items()
        if get(found[0], path) != value
    ]


def show(value):
    return "missing" if value is MISSING else repr(value)


def refuses(row):
    chart, values, words = row
    rendered = render(chart, values)
    if rendered.ok:
        return [f"{chart} with {values} is accepted; it should be refused with: {words}"]
    # Helm parts a path by slashes or dots, as its version likes it.
    said = rendered.error
    if words not in said and words.replace("/", ".") not in said:
        return [f"{chart} with {values} is refused, but not with {words!r}: {said[-300:]}"]
    return []


def settings_rollout():
    """A setting that is re-read makes no new pods, any other does."""

    def checksum(values):
        rendered = render(ORDER, {"secrets": {"values": {"page-token-secret": "fixed"}}, **values})
        return template_of(rendered.one("Deployment"))["metadata"]["annotations"]["checksum/settings"]

    before = checksum({})
    if checksum({"settings": {"log": {"level": "debug"}}}) != before:
        yield "a change of log.level, which is re-read, replaces the pods"
    if checksum({"settings": {"saga": {"hold_s": 1300}}}) == before:
        yield "a change of saga.hold_s, which is not re-read, does not replace the pods"


def findings():
    return [
        *(text for found in all_at_once(does, DOES) for text in found),
        *(text for found in all_at_once(refuses, REFUSES) for text in found),
        *settings_rollout(),
    ]


def count():
    return len(DOES) + len(REFUSES) + 2
