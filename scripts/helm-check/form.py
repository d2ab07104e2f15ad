"""Names, labels and namespaces: what the API server refuses, or takes and lets fail later."""

import re
from collections import Counter

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}
# Of the whole cluster; none of our charts has any.
WITHOUT_NAMESPACE = {"Namespace", "ClusterRole", "ClusterRoleBinding", "ClusterIssuer", "PriorityClass"}

NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
LABEL = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
# What everybody's tools look for.
LABELS = ("name", "instance", "version", "managed-by", "part-of")
# They can never be changed, so nothing that changes may be in them.
SELECTOR = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


def findings(documents, namespace):
    keys = Counter((d.get("kind"), (d.get("metadata") or {}).get("name")) for d in documents)
    for (kind, name), times in keys.items():
        if times > 1:
            yield f"{kind}/{name} stands {times} times"
    for document in documents:
        where = f"{document.get('kind')}/{(document.get('metadata') or {}).get('name')}"
        for one in [*of_head(document, namespace), *of_selector(document)]:
            yield f"{where}: {one}"


def of_head(document, namespace):
    meta = document.get("metadata") or {}
    name = meta.get("name") or ""
    longest = 63 if document["kind"] in {"Service", "Job", *WORKLOADS} else 253
    if not all(NAME.match(part) for part in name.split(".")) or len(name) > longest:
        yield f"{name!r} is not a good name"
    if document["kind"] in {"Deployment", "StatefulSet"} and len(name) > 52:
        yield f"its pods have no room for their own part of the name: {len(name)} characters"
    if document["kind"] not in WITHOUT_NAMESPACE and meta.get("namespace") != namespace:
        yield f"is in the namespace {meta.get('namespace')!r}, not in that of the release"
    labels = meta.get("labels") or {}
    for label in LABELS:
        if not labels.get(f"app.kubernetes.io/{label}"):
            yield f"lacks the label app.kubernetes.io/{label}"
    if document["kind"] != "Pod" and "helm.sh/chart" not in labels:
        yield "lacks the label helm.sh/chart"
    for key, value in labels.items():
        if not isinstance(value, str) or not LABEL.match(value):
            yield f"the label {key} has the value {value!r}"
    for key, value in (meta.get("annotations") or {}).items():
        if not isinstance(value, str):
            yield f"the annotation {key} is no text: {value!r}"


def of_selector(document):
    if document["kind"] not in WORKLOADS - {"Job"}:
        return
    selector = document["spec"]["selector"]
    labels = document["spec"]["template"]["metadata"].get("labels") or {}
    if set(selector) != {"matchLabels"} or set(selector["matchLabels"]) != SELECTOR:
        yield f"the selector, which can never change, is {selector}"
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        yield "does not select its own pods"
