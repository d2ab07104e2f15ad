"""Charts that are broken on purpose, each in one way: every check must find its own.

Most faults are put into what is rendered, those of templates and values into a copy of helm/.
"""

import copy
import shutil
import tempfile
from pathlib import Path

import edges
import form
import processes
import references
from charts import HELM, NAMESPACE, Case, helm, template
from policies import Policies
from schemas import Schemas, versions


def main_of(documents):
    return pods_of(documents)["containers"][0]


def pods_of(documents):
    return first(documents, "Deployment")["spec"]["template"]["spec"]


def first(documents, kind):
    return next(d for d in documents if d["kind"] == kind)


def drop(node, key):
    node.pop(key, None)


def set_to(node, key, value):
    node[key] = value


def replace_in_settings(documents, old, new):
    data = first(documents, "ConfigMap")["data"]
    assert old in data["settings.yaml"], old
    data["settings.yaml"] = data["settings.yaml"].replace(old, new)


def policy(documents):
    return first(documents, "NetworkPolicy")["spec"]


# What is broken, by which check it must be found, and how it is broken.
FAULTS = [
    ("a field that Kubernetes does not know", "schemas", lambda d: set_to(main_of(d), "readynessProbe", {})),
    ("a number in the place of a text", "schemas", lambda d: set_to(main_of(d)["env"][0], "value", 1)),
    ("a kind that nobody knows", "schemas", lambda d: set_to(first(d, "Service"), "kind", "Servise")),
    ("an object twice", "form", lambda d: d.append(copy.deepcopy(first(d, "Service")))),
    ("another namespace", "form", lambda d: set_to(first(d, "Service")["metadata"], "namespace", "default")),
    ("a name that is none", "form", lambda d: set_to(first(d, "Service")["metadata"], "name", "Shop_")),
    ("no labels", "form", lambda d: drop(first(d, "Service")["metadata"], "labels")),
    ("the version in a selector", "form",
        lambda d: set_to(first(d, "Deployment")["spec"]["selector"]["matchLabels"], "app.kubernetes.io/version", "1")),
    ("a Service of no pods", "references", lambda d: set_to(first(d, "Service")["spec"]["selector"], "app.kubernetes.io/name", "x")),
    ("a Service to a closed port", "references", lambda d: set_to(first(d, "Service")["spec"]["ports"][0], "targetPort", "grcp")),
    ("a volume that is not there", "references", lambda d: drop(pods_of(d), "volumes")),
    ("a ConfigMap of another name", "references", lambda d: set_to(first(d, "ConfigMap")["metadata"], "name", "other")),
    ("a Secret of another name", "references", lambda d: set_to(first(d, "Secret")["metadata"], "name", "other")),
    ("a probe of a closed port", "references", lambda d: set_to(main_of(d)["readinessProbe"]["httpGet"], "port", "privat")),
    ("an account that is not there", "references", lambda d: set_to(pods_of(d), "serviceAccountName", "other")),
    ("a budget of no pods", "references",
        lambda d: set_to(first(d, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"], "app.kubernetes.io/name", "x")),
    ("root", "policies", lambda d: set_to(main_of(d)["securityContext"], "runAsUser", 0)),
    ("maybe root", "policies", lambda d: (drop(main_of(d)["securityContext"], "runAsNonRoot"), drop(pods_of(d), "securityContext"))),
    ("a migration as root", "policies", lambda d: set_to(pods_of(d)["initContainers"][0]["securityContext"], "runAsNonRoot", False)),
    ("privilege", "policies", lambda d: set_to(main_of(d)["securityContext"], "privileged", True)),
    ("escalation", "policies", lambda d: drop(main_of(d)["securityContext"], "allowPrivilegeEscalation")),
    ("capabilities", "policies", lambda d: drop(main_of(d)["securityContext"], "capabilities")),
    ("a capability more", "policies", lambda d: set_to(main_of(d)["securityContext"]["capabilities"], "add", ["NET_ADMIN"])),
    ("no seccomp", "policies",
        lambda d: (drop(main_of(d)["securityContext"], "seccompProfile"), drop(pods_of(d)["securityContext"], "seccompProfile"))),
    ("a root that can be written", "policies", lambda d: drop(main_of(d)["securityContext"], "readOnlyRootFilesystem")),
    ("the network of the node", "policies", lambda d: set_to(pods_of(d), "hostNetwork", True)),
    ("a path of the node", "policies", lambda d: pods_of(d)["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
    ("a token of the cluster", "policies", lambda d: drop(pods_of(d), "automountServiceAccountToken")),
    ("latest", "policies", lambda d: set_to(main_of(d), "image", "ghcr.io/a/b:latest")),
    ("no tag", "policies", lambda d: set_to(main_of(d), "image", "localhost:5000/a/b")),
    ("no limit of memory", "policies", lambda d: drop(main_of(d)["resources"]["limits"], "memory")),
    ("no probe", "policies", lambda d: drop(main_of(d), "livenessProbe")),
    ("a secret in a variable", "policies", lambda d: main_of(d)["env"].append({"name": "DB_PASSWORD", "value": "x"})),
    ("a secret in a ConfigMap", "policies", lambda d: replace_in_settings(d, "orders@", "orders:secret@")),
    ("the private port in public", "policies", lambda d: d.append({"kind": "Ingress", "metadata": {"name": "x"}, "spec": {
        "rules": [{"host": "a", "http": {"paths": [{"backend": {"service": {"name": "x", "port": {"number": 9090}}}}]}}],
        "tls": [{"hosts": ["a"]}]}})),
    ("no TLS at the door", "policies", lambda d: d.append({"kind": "Ingress", "metadata": {"name": "x"}, "spec": {
        "rules": [{"host": "a"}]}})),
    ("rights to everything", "policies", lambda d: d.append({"kind": "Role", "metadata": {"name": "x"}, "rules": [
        {"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}]})),
    ("an open way out", "policies", lambda d: set_to(policy(d), "policyTypes", ["Ingress"])),
    ("everybody is let in", "policies", lambda d: drop(policy(d)["ingress"][0], "from")),
    ("all ports", "policies", lambda d: drop(policy(d)["egress"][1], "ports")),
    ("no policy", "network", lambda d: d.remove(first(d, "NetworkPolicy"))),
    ("an edge too many", "network", lambda d: policy(d)["egress"].append(
        {"to": [{"podSelector": {}}], "ports": [{"port": 22, "protocol": "TCP"}]})),
    ("an edge too few", "network", lambda d: policy(d)["egress"].pop()),
    ("DNS by UDP only", "network", lambda d: policy(d)["egress"][0]["ports"].pop()),
    ("a peer elsewhere", "network", lambda d: replace_in_settings(d, ":50053", ":50099")),
    ("metrics for all", "network", lambda d: set_to(policy(d)["ingress"][0], "from", [{"namespaceSelector": {}}])),
    ("a variable that nobody reads", "processes", lambda d: main_of(d)["env"].append({"name": "CARTWRIGHT__LOG__LEVLE", "value": "x"})),
    ("a port that nobody serves", "processes", lambda d: set_to(main_of(d)["ports"][0], "containerPort", 1234)),
    ("a listener on the loopback", "processes", lambda d: replace_in_settings(d, "0.0.0.0:8080", "127.0.0.1:8080")),
    ("a short life", "processes", lambda d: set_to(pods_of(d), "terminationGracePeriodSeconds", 10)),
    ("no time for balancers", "processes", lambda d: drop(main_of(d), "lifecycle")),
    ("a file where nothing is mounted", "processes", lambda d: drop(main_of(d), "volumeMounts")),
    ("a setting that is refused", "config check", lambda d: replace_in_settings(d, "mode: jwt", "mode: jtw")),
    ("a probe of a path that is not there", "probes", lambda d: set_to(main_of(d)["livenessProbe"]["httpGet"], "path", "/live")),
]  # fmt: skip

# In a copy of helm/: the file, what stands there, and what is put in its place.
TEMPLATES = [
    ("a template that does not end", "order-service/templates/service.yaml", "{{", "{{ if"),
    ("a value of the wrong type", "order-service/values.yaml", "replicaCount: 2", "replicaCount: two"),
    ("a key that stands twice", "order-service/templates/service.yaml", "", "\nkind: Twice\n"),
]


def check(name, documents):
    match name:
        case "schemas":
            return list(Schemas().findings(documents, versions()[-1]))
        case "form":
            return list(form.findings(documents, NAMESPACE))
        case "references":
            return list(references.findings(documents))
        case "policies":
            return list(Policies().findings(documents))
        case "network":
            return list(edges.findings(documents, NAMESPACE))
        case "probes":
            return list(processes.probes(documents))
    return list(processes.findings(documents))


def findings():
    case = Case("order-service", "default-values", (HELM / "order-service/ci/default-values.yaml",))
    good = template(case, kube=versions()[-1]).documents
    tried = 0
    for by in dict.fromkeys(by for _, by, _ in FAULTS):
        yield from ((0, f"{by} finds something where nothing is broken: {text}") for text in check(by, copy.deepcopy(good)))
    for what, by, breaking in FAULTS:
        if by in {"config check", "probes"} and not processes.programs():
            continue
        broken = copy.deepcopy(good)
        breaking(broken)
        tried += 1
        if not check(by, broken):
            yield tried, f"{by} does not find {what}"
    for what, file, old, new in TEMPLATES:
        tried += 1
        if accepted(case, file, old, new):
            yield tried, f"Helm does not find {what} in {file}"
    yield tried, None


def accepted(case, file, old, new):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "helm")
        shutil.copytree(HELM, home, symlinks=False)
        text = (home / file).read_text()
        assert old in text, (file, old)
        (home / file).write_text(text.replace(old, new, 1) if old else text + new)
        values = ["--values", case.files[0]]
        if helm("lint", "--strict", home / case.chart, *values).returncode != 0:
            return False
        try:
            return template(case, home=home).ok
        except Exception:
            # Our reader of YAML is stricter than Helm's.
            return False
