"""Whether documents are what Kubernetes, in each of its versions, and operators accept.

Kinds of Kubernetes itself are checked by its own schemas, strictly: a field that is unknown
is a fault. Kinds of operators are checked by the schemas of their definitions in `crds/`,
which scripts/crd-schemas takes out of their releases; rules that are written there in CEL
are not run.
"""

import functools
import json
from pathlib import Path

import jsonschema
import kubernetes_validate
from referencing import Registry, Resource

HERE = Path(__file__).resolve().parent
CRDS = HERE / "crds"
OF_KUBERNETES = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OLDEST = (1, 28)


def versions():
    """Of Kubernetes, from the oldest that we promise to the newest that is known."""
    names = [path.name.removeprefix("v").split("-")[0] for path in OF_KUBERNETES.glob("v*-strict")]
    found = {tuple(int(part) for part in name.split(".")[:2]) for name in names}
    return [f"{major}.{minor}" for major, minor in sorted(found) if (major, minor) >= OLDEST]


@functools.cache
def definitions(version):
    contents = json.loads((OF_KUBERNETES / f"v{version}.0-local-strict/_definitions.json").read_text())
    return Resource.from_contents(contents) @ Registry()


@functools.cache
def of_kubernetes(version, api_version, kind):
    """None: this version knows no such kind."""
    group, _, number = api_version.rpartition("/")
    name = "-".join(part for part in (kind.lower(), group.split(".")[0], number) if part)
    path = OF_KUBERNETES / f"v{version}.0-local-strict" / f"{name}.json"
    if not path.exists():
        return None
    return jsonschema.Draft202012Validator(json.loads(path.read_text()), registry=definitions(version))


@functools.cache
def of_operators():
    """By apiVersion and kind."""
    found = {}
    for path in sorted(CRDS.glob("*.json")):
        for name, schema in json.loads(path.read_text())["schemas"].items():
            found[tuple(name.split(" "))] = jsonschema.Draft202012Validator(schema)
    return found


class Schemas:
    def __init__(self):
        # For each version most documents are the same.
        self.known = {}
        self.kinds = set()

    def findings(self, documents, version):
        for document in documents:
            key = (version, json.dumps(document, sort_keys=True))
            if key not in self.known:
                self.known[key] = list(self.judge(document, version))
            yield from self.known[key]

    def judge(self, document, version):
        api_version, kind = document.get("apiVersion", ""), document.get("kind", "")
        where = f"{kind}/{(document.get('metadata') or {}).get('name')}"
        validator = of_operators().get((api_version, kind)) or of_kubernetes(version, api_version, kind)
        if validator is None:
            yield f"{where}: neither Kubernetes {version} nor an operator that we know has {api_version} {kind}"
            return
        self.kinds.add(f"{api_version} {kind}")
        for error in validator.iter_errors(document):
            yield f"{where}: Kubernetes {version}: {error.json_path}: {error.message[:300]}"
