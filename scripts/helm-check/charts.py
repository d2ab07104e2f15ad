"""The charts, the value sets that they come with, and what Helm makes of them."""

import functools
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
HELM = ROOT / "helm"
SERVICES = ("order-service", "payment-service", "inventory-service")
PROCESSES = (*SERVICES, "payment-simulator")
UMBRELLA = "cartwright"
CHARTS = (*PROCESSES, UMBRELLA)
LIBRARY = "cartwright-service"
NAMESPACE = "shop"


class Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which a key stands once. Helm would take the last one and say nothing."""


def mapping(loader, node, deep=False):
    loader.flatten_mapping(node)
    seen = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)


def parse(text):
    """All documents of a text that are not empty."""
    return [document for document in yaml.load_all(text, Strict) if document is not None]


@dataclass(frozen=True)
class Case:
    """One chart with one set of values."""

    chart: str
    name: str
    files: tuple = ()
    values: tuple = ()

    def __str__(self):
        return f"{self.chart}/{self.name}"


@dataclass
class Rendered:
    """What Helm answered."""

    case: Case
    ok: bool
    text: str
    error: str
    documents: list = field(default_factory=list)

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def one(self, kind, name=None):
        """The only one of a kind, or the only one of that name."""
        found = [d for d in self.of(kind) if name in (None, d["metadata"]["name"])]
        if len(found) != 1:
            names = [d["metadata"]["name"] for d in self.of(kind)]
            raise AssertionError(f"{self.case}: one {kind} {name or ''} was expected, there are {names}")
        return found[0]


def tool(*command, **more):
    return subprocess.run(
        [ROOT / "scripts/tool", *command], cwd=ROOT, capture_output=True, text=True, check=False, **more
    )


@functools.cache
def helm_program():
    """The path of Helm itself: to start it some hundred times through a script is slow."""
    found = tool("--where", "helm")
    if found.returncode != 0:
        raise SystemExit(f"helm-check: {found.stderr.strip()}")
    return found.stdout.strip()


def helm(*arguments, stdin=None):
    environment = os.environ | {"HELM_NAMESPACE": NAMESPACE}
    return subprocess.run(
        [helm_program(), *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, input=stdin, check=False, env=environment,
    )  # fmt: skip


def cases():
    """Every chart with every value set that lies beside it."""
    found = []
    for chart in CHARTS:
        sets = sorted((HELM / chart / "ci").glob("*.yaml"))
        found += [Case(chart, path.stem, (path,)) for path in sets]
        production = HELM / chart / "values-production.yaml"
        if production.exists():
            found.append(Case(chart, "production", (production,)))
    return found


def template(case, *, kube=None, release="shop", namespace=NAMESPACE, more=(), home=HELM, parsed=True):
    """`helm template`; with several releases or versions, call it for each."""
    arguments = ["template", release, home / case.chart, "--namespace", namespace]
    for file in case.files:
        arguments += ["--values", file]
    stdin = None
    if case.values:
        arguments += ["--values", "-"]
        stdin = yaml.safe_dump(merged(case.values))
    if kube:
        arguments += ["--kube-version", f"v{kube}.0"]
    done = helm(*arguments, *more, stdin=stdin)
    rendered = Rendered(case, done.returncode == 0, done.stdout, quiet(done.stderr))
    if rendered.ok and parsed:
        rendered.documents = parse(rendered.text)
    return rendered


def quiet(text):
    """Helm tells of every symbolic link, for one."""
    return "\n".join(line for line in text.splitlines() if line and "INFO" not in line)


def merged(values):
    """Several trees of values laid over each other, the later ones on top."""
    whole = {}
    for tree in values:
        whole = laid_over(whole, tree)
    return whole


def laid_over(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {
        key: laid_over(below[key], above[key]) if key in below and key in above else above.get(key, below.get(key))
        for key in [*below, *(key for key in above if key not in below)]
    }


def all_at_once(work, items):
    """Helm is a process of its own, so threads use all cores."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(work, items))
