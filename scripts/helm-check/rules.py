"""Whether the rules that the charts bring say what those of deploy/prometheus say.

The charts write each release's labels into every expression. So the tests of the whole
shop's rules are asked again of the rules of all charts together, with these labels in what
goes in and in what has to come out.
"""

import re
import subprocess
import tempfile
from pathlib import Path

import yaml
from charts import NAMESPACE, PROCESSES, ROOT, Case, template

TESTS = ROOT / "deploy/prometheus/tests"
# Windows of days take long to play, and their expressions are those of the shorter ones.
LEFT_OUT = {"objectives_slow.yaml"}
# What is needed to render at all, and the limit that the tests speak of.
NEEDED = {
    "auth": {"issuer": "https://id.example.com", "jwksUrl": "https://id.example.com/jwks.json"},
    "database": {"host": "postgres"},
    "redis": {"host": "redis"},
}
SWITCHED = {
    "secrets": {"mode": "existing", "existing": {"name": "secrets"}},
    "monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
    "resources": {"limits": {"memory": "512Mi"}},
}


def findings():
    failures, owners = [], {}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for chart in PROCESSES:
            groups = groups_of(chart)
            for rule in (rule for group in groups for rule in group["rules"]):
                owners.setdefault(rule.get("alert") or rule["record"], set()).add(chart)
            files[chart] = Path(folder) / f"{chart}.yaml"
            files[chart].write_text(yaml.safe_dump({"groups": groups}))
        tests = []
        for path in sorted(TESTS.glob("*.yaml")):
            if path.name in LEFT_OUT:
                continue
            tests.append(Path(folder) / f"test-{path.name}")
            tests[-1].write_text(yaml.safe_dump(labelled(yaml.safe_load(path.read_text()), files, owners)))
        for command in (["check", "rules", *files.values()], ["test", "rules", *tests]):
            done = subprocess.run([ROOT / "scripts/tool", "promtool", *command], capture_output=True, text=True)
            if done.returncode != 0 or not tests:
                failures.append(f"promtool {' '.join(command[:2])}: {done.stdout}{done.stderr}")
    return failures


def groups_of(chart):
    values = (SWITCHED,) if chart == "payment-simulator" else (NEEDED, SWITCHED)
    one = template(Case(chart, "rules", values=values), release=chart)
    if not one.ok:
        raise AssertionError(f"{chart}: {one.error}")
    return one.one("PrometheusRule")["spec"]["groups"]


def labelled(file, rules, owners):
    # Only rules of services that the file speaks of, since all of them are played minute by minute.
    about = str(file)
    file["rule_files"] = [str(path) for chart, path in rules.items() if f'"{chart}"' in about]
    for test in file["tests"]:
        for series in test["input_series"]:
            series["series"] = selector(series["series"], "", owners)
        for asked in test.get("promql_expr_test", []):
            for sample in asked.get("exp_samples", []):
                sample["labels"] = selector(sample["labels"], asked["expr"], owners)
        for asked in test.get("alert_rule_test", []):
            for alert in asked.get("exp_alerts", []):
                labels = alert["exp_labels"]
                labels |= of_release(labels.get("job") or only(owners, asked["alertname"]))
    return file


def selector(text, expression, owners):
    """`name{a="b"}` with the labels of the release that it is about."""
    named = re.search(r'\bjob="([^"]+)"', text)
    alert = re.search(r'\balertname="(\w+)"', text)
    recorded = re.search(r"\w+:[\w:]+", expression)
    job = named[1] if named else only(owners, (alert and alert[1]) or recorded[0])
    name, inside = re.fullmatch(r"([\w:]*)\{(.*)\}", text).groups()
    known = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', inside)) | of_release(job)
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in known.items()) + "}"


def only(owners, name):
    (owner,) = owners[name]
    return owner


def of_release(job):
    return {"job": job, "namespace": NAMESPACE, "service": f"{job}-metrics"}
