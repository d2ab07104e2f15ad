"""The parts of the check, each of which gives what it did and what it found."""

import functools

import form
import references
from charts import CHARTS, HELM, LIBRARY, NAMESPACE, all_at_once, cases, helm, template
from policies import Policies
from schemas import Schemas, versions


def lint():
    def one(case):
        values = [argument for file in case.files for argument in ("--values", file)]
        done = helm("lint", "--strict", "--namespace", NAMESPACE, HELM / case.chart, *values)
        return [] if done.returncode == 0 else [f"{case}: {done.stdout}{done.stderr}"]

    known = cases()
    failures = [failure for found in all_at_once(one, known) for failure in found]
    failures += [f"{chart}: there is no value set" for chart in CHARTS if chart not in {case.chart for case in known}]
    library = helm("lint", "--strict", HELM / LIBRARY)
    if library.returncode != 0:
        failures.append(f"{LIBRARY}: {library.stdout}")
    return {"runs": len(known) + 1}, failures


@functools.cache
def rendered():
    """Every value set for every version of Kubernetes, by both."""
    wanted = [(case, kube) for case in cases() for kube in versions()]
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
        "kubernetes": versions(),
        "documents": documents,
        "kinds": sorted(schemas.kinds),
    }
    return about, list(dict.fromkeys(failures))


def elsewhere(case):
    """Secrets and Services that others make, as the comments of a value set say."""
    known = set()
    for file in case.files:
        for line in file.read_text().splitlines():
            if line.startswith(("# Secrets that are there:", "# Services that are there:")):
                known |= {name.strip() for name in line.split(":", 1)[1].strip(" .").split(",")}
    return known


PARTS = {
    "lint": lint,
    "template": of_template,
}
