"""Two releases beside each other, and one release after the other."""

import json
from pathlib import Path

import yaml
from charts import CHARTS, HELM, Case, all_at_once, cases, template
from form import WORKLOADS

# What clients and Deployments hold on to: it may grow, and must not change.
KEPT = Path(__file__).resolve().parent / "kept.json"
# Helm allows 53 characters.
LONG = "a-release-whose-name-is-as-long-as-helm-allows-it-to"


def findings():
    yield from collisions()
    yield from changes()


def names(rendered):
    return {(d["kind"], d["metadata"]["name"]) for d in rendered.documents}


def overrides(case):
    """With `fullnameOverride` the names are the reader's own affair."""
    return any("fullnameOverride" in str(yaml.safe_load(file.read_text())) for file in case.files)


def collisions():
    pairs = [
        (case, pair)
        for case in cases()
        if not overrides(case)
        for pair in (("first", "second"), (f"{LONG}1", f"{LONG}2"))
        # How names are cut is the same for all values.
        if pair[0] == "first" or case.name == "default-values"
    ]

    def one(work):
        case, pair = work
        first, second = (template(case, release=release) for release in pair)
        if not (first.ok and second.ok):
            return [f"{case}, releases {pair}: {first.error or second.error}"]
        shared = names(first) & names(second)
        found = [f"{case}: releases {pair} share {kind}/{name}" for kind, name in sorted(shared)]
        return found + [f"{case}: {one}" for one in crossed(first.documents, second.documents)]

    for found in all_at_once(one, pairs):
        yield from found


def crossed(first, second):
    """No Service or budget of one selects pods of the other."""
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in second if d["kind"] in WORKLOADS]
    for document in first:
        selector = (document.get("spec") or {}).get("selector") or {}
        selector = selector.get("matchLabels", selector)
        if document["kind"] in {"Service", "Deployment", "StatefulSet", "PodDisruptionBudget"} and selector:
            if any(selector.items() <= labels.items() for labels in pods):
                yield f"{document['kind']}/{document['metadata']['name']} selects pods of another release"


def held(documents):
    found = {}
    for document in documents:
        kind, name = document["kind"], document["metadata"]["name"]
        if kind in {"Deployment", "StatefulSet"}:
            found[f"{kind}/{name}"] = document["spec"]["selector"]["matchLabels"]
        elif kind == "Service":
            found[f"{kind}/{name}"] = {port["name"]: port["port"] for port in document["spec"]["ports"]}
        elif kind in {"PersistentVolumeClaim", "ServiceAccount"}:
            found[f"{kind}/{name}"] = {}
    return found


def now():
    found = {}
    for chart in CHARTS:
        case = Case(chart, "default", (HELM / chart / "ci/default-values.yaml",))
        for release in ("shop", chart):
            rendered = template(case, release=release)
            if not rendered.ok:
                raise AssertionError(f"{case}: {rendered.error}")
            found[f"{chart} as {release}"] = held(rendered.documents)
    return found


def changes():
    for release, before in json.loads(KEPT.read_text()).items():
        after = now_cached().get(release, {})
        for name, was in before.items():
            if name not in after:
                yield f"{release}: {name} is gone: an upgrade would cut off who uses it"
            elif not (was == after[name] if "Deployment" in name or "StatefulSet" in name else was.items() <= after[name].items()):
                yield f"{release}: {name} was {was}, is {after[name]}, and cannot be changed by an upgrade"


_now = {}


def now_cached():
    if not _now:
        _now.update(now())
    return _now


def keep():
    KEPT.write_text(json.dumps(now(), indent=1) + "\n")
