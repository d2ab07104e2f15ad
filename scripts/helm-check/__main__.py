"""Proves the charts, and writes .run/reports/helm-check.json.

  lint       `helm lint --strict` of every chart with every value set
  template   `helm template` of the same for every version of Kubernetes, and of each:
    schemas     what Kubernetes and operators accept, strictly
    form        names, labels, namespaces, selectors
    references  ports, volumes, secrets and objects that are named are there
    policies    helm/policies: no root, no privilege, limits, closed network, …
  units      what values do, switch by switch, and what is refused with which words
  network    who reaches whom through the NetworkPolicies, against the settings
  processes  probes, ports, variables and settings against the processes themselves
  settings   every key of docs/settings.json can be set by values, and no other
  releases   two releases share no object, and selectors and names are those of before
  rules      alerts of the charts against the tests of those of deploy/prometheus
  faults     each of these finds what is broken on purpose

  helm-check             all of it, within three minutes
  helm-check PART...     some of it
  helm-check --kubernetes 1.37    for one version of Kubernetes
  helm-check --keep      writes down names and selectors, as they must stay from now on

Exit 0 if all is well, 1 if not. Progress goes to stderr, the report to stdout too.
"""

import argparse
import json
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import charts
import parts
import releases
from parts import PARTS

REPORTS = charts.ROOT / ".run/reports"
SHOWN = 40


def say(text):
    print(f"· {text}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="helm-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="all of them by default")
    parser.add_argument("--kubernetes", metavar="VERSION", help="only this one")
    parser.add_argument("--keep", action="store_true", help="write scripts/helm-check/kept.json")
    given = parser.parse_args()
    if given.keep:
        return releases.keep()
    parts.chosen += [given.kubernetes] if given.kubernetes else []
    began = time.monotonic()
    report = {"helm": version()}
    names = given.parts or list(PARTS)
    with ThreadPoolExecutor() as pool:
        # One process that takes its time, beside many.
        aside = {name: pool.submit(run, name) for name in names if name == "rules"}
        for name in names:
            report[name] = aside[name].result() if name in aside else run(name)
    report["seconds"] = round(time.monotonic() - began)
    well = all(part["pass"] for part in report.values() if isinstance(part, dict))
    text = json.dumps({"pass": well} | report, indent=2, ensure_ascii=False)
    REPORTS.mkdir(parents=True, exist_ok=True)
    # A part alone is no proof of the whole.
    file = "helm-check.json" if not (given.parts or given.kubernetes) else "helm-check-part.json"
    (REPORTS / file).write_text(text + "\n")
    print(text)
    return 0 if well else 1


def version():
    return subprocess.check_output([charts.helm_program(), "version", "--short"], text=True).strip()


def run(name):
    say(name)
    began = time.monotonic()
    try:
        about, failures = PARTS[name]()
    except Exception:
        about, failures = {}, [traceback.format_exc()]
    for failure in failures[:SHOWN]:
        print(f"  {name}: {failure}", file=sys.stderr)
    seconds = round(time.monotonic() - began, 1)
    return {"pass": not failures, **about, "seconds": seconds, "failures": failures[:SHOWN]}


if __name__ == "__main__":
    sys.exit(main())
