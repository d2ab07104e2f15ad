"""The parts of the check, each of which gives what it did and what it found."""

import functools

import edges
import faults
import form
import keys
import processes
import references
import releases
import rules
import units
import yaml
from charts import CHARTS, HELM, LIBRARY, NAMESPACE, PROCESSES, all_at_once, cases, helm, quiet, template
from policies import Policies
from schemas import Schemas, versions


def lint():
    def one(case):
        values = [argument for file in case.files for argument in ("--values", file)]
        done = helm("lint", "--strict", "--namespace", NAMESPACE, HELM / case.chart, *values)
        return [] if done.returncode == 0 else [f"{case}: {quiet(done.stdout)}"]

    known = cases()
    failures = [failure for found in all_at_once(one, known) for failure in found]
    failures += [f"{chart}: there is no value set" for chart in CHARTS if chart not in {case.chart for case in known}]
    library = helm("lint", "--strict", HELM / LIBRARY)
    if library.returncode != 0:
        failures.append(f"{LIBRARY}: {quiet(library.stdout)}")
    return {"runs": len(known) + 1}, failures


# Only this version, for people in a hurry.
chosen = []


def of_kubernetes():
    return chosen or versions()


@functools.cache
def rendered():
    """Every value set for every version of Kubernetes, by both."""
    wanted = [(case, kube) for case in cases() for kube in of_kubernetes()]
    return dict(zip(wanted, all_at_once(lambda one: template(one[0], kube=one[1]), wanted)))


def of_template():
    failures, schemas, policies = [], Schemas(), Policies()
    documents = 0
    for (case, kube), one in rendered().items():
        if not one.ok:
            failures.append(f"{case}, Kubernetes {kube}: {one.error}")
            continue
        if not one.documents:
            failures.append(f"{case}, Kubernetes {kube}: nothing is rendered")
        documents += len(one.documents)
        found = [
            *schemas.findings(one.documents, kube),
            *form.findings(one.documents, NAMESPACE),
            *references.findings(one.documents, elsewhere(case)),
            *policies.findings(one.documents),
        ]
        failures += [f"{case}: {text}" for text in found]
    about = {
        "value_sets": [str(case) for case in cases()],
        "kubernetes": of_kubernetes(),
        "documents": documents,
        "kinds": sorted(schemas.kinds),
        "not_run": "rules in CEL of the operators' definitions, and webhooks of a cluster",
    }
    return about, list(dict.fromkeys(failures))


# Where values name a Secret or ConfigMap that is there already.
NAMING = {"name", "secret", "secretName", "caSecret", "configMap", "trialSecret", "existingClaim"}
SAYING = ("# Secrets that are there:", "# Services that are there:")


def elsewhere(case):
    """Objects that others make, as a value set and its comments say."""
    known = set()

    def walk(node):
        if isinstance(node, dict):
            names = (node[key] for key in NAMING & node.keys() if isinstance(node[key], str))
            known.update(name.replace("{{ .Release.Name }}", "shop") for name in names)
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    for file in case.files:
        text = file.read_text()
        walk(yaml.safe_load(text))
        for line in text.splitlines():
            if line.startswith(SAYING):
                known |= {name.strip() for name in line.split(":", 1)[1].strip(" .").split(",")}
    return known


def of_units():
    return {"tests": units.count()}, units.findings()


def newest():
    return [(case, one) for (case, kube), one in rendered().items() if kube == of_kubernetes()[-1] and one.ok]


def of_network():
    failures, count = [], 0
    for case, one in newest():
        count += len(edges.Scene(one.documents, NAMESPACE).wanted())
        failures += [f"{case}: {text}" for text in edges.findings(one.documents, NAMESPACE)]
    return {"releases": len(newest()), "edges": count}, failures


def of_processes():
    """Old and new Kubernetes differ in how pods end."""
    asked, failures = set(), list(processes.version_findings())
    for (case, kube), one in rendered().items():
        if one.ok and kube in {of_kubernetes()[0], of_kubernetes()[-1]}:
            failures += [f"{case}: {text}" for text in processes.findings(one.documents, asked)]
            if kube == of_kubernetes()[-1] and case.name == "default-values" and case.chart in PROCESSES:
                failures += [f"{case}: {text}" for text in processes.probes(one.documents)]
    about = {"settings_shown": len(asked), "programs": {name: str(path) for name, path in processes.programs().items()}}
    if not processes.programs():
        about["not_run"] = "config check and probes: build the processes first (cargo build --workspace --bins)"
    return about, list(dict.fromkeys(failures))


def of_settings():
    return {"charts": list(PROCESSES)}, list(keys.findings())


def of_releases():
    return {}, list(releases.findings())


def of_faults():
    found = list(faults.findings())
    return {"broken_on_purpose": found[-1][0]}, [text for _, text in found if text]


def of_rules():
    return {"tests": "deploy/prometheus/tests", "not_run": sorted(rules.LEFT_OUT)}, rules.findings()


PARTS = {
    "lint": lint,
    "template": of_template,
    "units": of_units,
    "network": of_network,
    "processes": of_processes,
    "settings": of_settings,
    "releases": of_releases,
    "rules": of_rules,
    "faults": of_faults,
}
