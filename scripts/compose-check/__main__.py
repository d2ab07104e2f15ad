"""Checks deploy/compose.yaml and the files that its containers are given.

  - Compose reads it without a word, with every profile and without
  - each container is restricted, limited and of one version; all limits are below 3 GB
  - everything starts after what it needs, and that is asked for its health
  - settings, addresses, ports and mounts fit together
  - the checks see what is spoiled on purpose
  - promtool and, where there is one, the collector accept their configuration

Exit 0 if all is well, 1 if not; the report is .run/reports/compose-check.json. It needs
no engine: the file is read by compose-go, as Compose itself does. Where Docker has its
Compose, that is asked, too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import containers
import meaning
import spoiled

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "deploy/compose.yaml"
REPORT = ROOT / ".run/reports/compose-check.json"
ALL = "observe"
PROFILES = {"": "the shop alone", ALL: "with all that watches it"}


def main():
    problems, report = [], {"ran": [], "not_ran": []}
    projects = {}
    for profile, what in PROFILES.items():
        done = run([ROOT / "scripts/tool", "compose-spec", "-no-interpolation", "-format", "json", FILE.name])
        said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith(("building ", "go: ")))
        if done.returncode or said:
            problems.append(f"{what}: {said}")
        if done.returncode == 0:
            projects[profile] = chosen(done.stdout, profile)
    report["ran"].append("compose-spec, of compose-go")
    problems += compose(report)
    for profile, project in projects.items():
        problems += (f"{PROFILES[profile]}: {problem}" for problem in found(project))
        report[PROFILES[profile]] = {
            "containers": len(project["services"]),
            "memory_bytes": containers.bytes_of(project["services"]),
        }
    if ALL in projects and not problems:
        problems += spoiled.problems(projects[ALL], found)
        report["spoiled_on_purpose"] = len(spoiled.SPOILED)
        report["images"] = sorted({service["image"] for service in projects[ALL]["services"].values()})
    problems += promtool(report)
    problems += collector(report)
    report["not_ran"].append("Grafana, Tempo and Loki on their files: their programs come as images only")
    text = json.dumps({"pass": not problems} | report | {"problems": problems}, indent=2)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(text + "\n")
    print(text)
    return 1 if problems else 0


def chosen(text, profile):
    """The services that start, as they are told of it; compose-spec prints all, and
    knows no environment."""
    project = json.loads(re.sub(r"\$\{COMPOSE_PROFILES:\+([^}]*)\}", r"\1" if profile else "", text))
    services = project["services"].items()
    return project | {"services": {name: s for name, s in services if profile in s.get("profiles", [profile])}}


def compose(report):
    version = run(["docker", "compose", "version", "--short"])
    if version.returncode:
        report["not_ran"].append("docker compose config: Docker has no Compose here")
        return
    for profile, what in PROFILES.items():
        done = run(["docker", "compose", "--file", FILE, "config", "--quiet"], COMPOSE_PROFILES=profile)
        if done.returncode or done.stderr.strip():
            yield f"docker compose config, {what}: {done.stderr.strip()}"
    report["ran"].append(f"docker compose config, {version.stdout.strip()}")


def found(project):
    return [*containers.problems(project), *meaning.problems(project)]


def promtool(report):
    """The rules are found beside the file, as they are in the container."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "prometheus.yaml")
        file.symlink_to(ROOT / "deploy/compose/prometheus.yaml")
        Path(folder, "rules").symlink_to(ROOT / "deploy/prometheus/rules")
        done = run([ROOT / "scripts/tool", "promtool", "check", "config", file])
    report["ran"].append("promtool check config")
    if done.returncode or "rule files found" not in done.stdout:
        yield f"promtool: {done.stdout} {done.stderr}"


def collector(report):
    program = shutil.which("otelcol-contrib") or ROOT / ".run/otelcol/cartwright-otelcol"
    if not Path(program).exists():
        report["not_ran"].append("the collector on its files: build one as deploy/collector/builder.yaml says")
        return
    files = [f"--config={ROOT / name}" for name in ("deploy/collector/config.yaml", "deploy/compose/collector.yaml")]
    done = run([program, "validate", *files])
    report["ran"].append("the collector's validate")
    if done.returncode:
        yield f"the collector: {done.stderr.strip()}"


def run(words, **environment):
    environment = os.environ | environment
    try:
        return subprocess.run(words, env=environment, cwd=FILE.parent, capture_output=True, text=True)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


if __name__ == "__main__":
    sys.exit(main())
