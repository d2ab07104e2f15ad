"""Every setting can be set by values, in one of two ways, and nothing else can.

What is secret is a key of a Secret (`secrets.keys`), everything else stands in `settings`.
"""

import json

import jsonschema
import yaml
from charts import HELM, PROCESSES, Case, helm, laid_over, template
from edges import settings_of
from processes import SETTINGS, resolved
from references import template_of

NONSENSE = "no_such_key"


def findings():
    for chart in PROCESSES:
        yield from (f"{chart}: {one}" for one in [*reached(chart), *refused(chart), *closed(chart)])


def leaves(schema, node=None, path=()):
    """Every key that holds a value, with what it is."""
    node = resolved(schema if node is None else node, schema)
    for key, child in (node.get("properties") or {}).items():
        child = resolved(child, schema)
        if child.get("properties"):
            yield from leaves(schema, child, (*path, key))
        else:
            yield (*path, key), child


def sections(schema, node=None, path=()):
    node = resolved(schema if node is None else node, schema)
    if node.get("properties"):
        yield path
        for key, child in node["properties"].items():
            yield from sections(schema, child, (*path, key))


def sample(path, leaf):
    """Some value that is not the default."""
    if path[-1] == "listen" or path[-1] == "private_listen":
        return "0.0.0.0:7777"
    kinds = leaf.get("type", "string")
    kind = kinds if isinstance(kinds, str) else next(one for one in kinds if one != "null")
    for one in leaf.get("oneOf") or []:
        if one.get("const") is not None and one["const"] != leaf.get("default") and one["const"] != "none":
            return one["const"]
    match kind:
        case "integer":
            return (leaf.get("default") or 0) + 1
        case "number":
            return 0.25
        case "boolean":
            return not leaf.get("default")
        case "array":
            return ["10.1.0.0/16"]
    return f"some-{path[-1].replace('_', '-')}"


def tree(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def base(chart):
    return yaml.safe_load((HELM / chart / "ci/default-values.yaml").read_text())


def reached(chart):
    schema = json.loads(SETTINGS.read_text())[chart]
    secret, wanted = {}, {}
    every = dict(leaves(schema))
    for path, leaf in every.items():
        if path[-1].endswith("_file") and (*path[:-1], path[-1].removesuffix("_file")) in every:
            secret[path] = f"key-of-{'-'.join(path[:-1])}"
    for path, leaf in every.items():
        if path not in secret and (*path[:-1], f"{path[-1]}_file") not in secret:
            wanted[path] = sample(path, leaf)
    values = base(chart)
    # Its own way of filling in the same is not what is looked at.
    values |= {"migration": {"mode": "none"}} if "migration" not in values and chart != "payment-simulator" else {}
    values["networkPolicy"] = {"enabled": False}
    values["secrets"] = {"mode": "existing", "existing": {"name": "theirs"}, "keys": {}}
    for path, value in wanted.items():
        values = laid_over(values, {"settings": tree(path, value)})
    for path, key in secret.items():
        name = path[-1].removesuffix("_file")
        values["secrets"] = laid_over(values["secrets"], {"keys": tree((*path[:-1], name), key)})
    rendered = template(Case(chart, "every setting", values=(values,)))
    if not rendered.ok:
        yield f"not every setting is accepted: {rendered.error}"
        return
    config = settings_of(template_of(rendered.one("Deployment")), rendered.documents)
    for path, value in wanted.items():
        if at(config, path) != value:
            yield f"settings.{'.'.join(path)} is {value!r} in the values, and {at(config, path)!r} in the file"
    for path, key in secret.items():
        if at(config, path) != f"/etc/cartwright/secrets/{key}":
            yield f"secrets.keys has {'.'.join(path)}, and the file has {at(config, path)!r}"


def at(config, path):
    for key in path:
        if not isinstance(config, dict) or key not in config:
            return None
        config = config[key]
    return config


def refused(chart):
    """A slip of the pen in any section, and a secret where everybody may read it."""
    validator = jsonschema.Draft202012Validator(json.loads((HELM / chart / "values.schema.json").read_text()))
    defaults = yaml.safe_load((HELM / chart / "values.yaml").read_text())
    good = laid_over(defaults, base(chart))
    for error in validator.iter_errors(good):
        yield f"the schema refuses the value set default-values: {error.json_path}: {error.message[:200]}"
    schema = json.loads(SETTINGS.read_text())[chart]
    for path in sections(schema):
        if validator.is_valid(laid_over(good, {"settings": tree((*path, NONSENSE), 1)})):
            yield f"settings.{'.'.join((*path, NONSENSE))} is accepted"
    for path, leaf in leaves(schema):
        if leaf.get("writeOnly") and validator.is_valid(laid_over(good, {"settings": tree(path, "a-secret")})):
            yield f"settings.{'.'.join(path)}, a secret, is accepted in a ConfigMap"
    for key in (NONSENSE, f"settings.{NONSENSE}", f"settings.log.{NONSENSE}", f"secrets.{NONSENSE}"):
        done = helm("template", "shop", HELM / chart, "-f", HELM / chart / "ci/default-values.yaml", "--set", f"{key}=1")
        if done.returncode == 0 or NONSENSE not in done.stderr:
            yield f"Helm accepts {key}, or does not say what is wrong with it"


def closed(chart):
    """Wherever the schema names keys, it allows no others."""

    def walk(node, path):
        if isinstance(node, dict):
            if node.get("properties") and node.get("additionalProperties", True) is True:
                yield f"values.schema.json: {path or 'the top'} accepts keys that it does not name"
            for key, child in node.items():
                yield from walk(child, f"{path}/{key}")

    yield from walk(json.loads((HELM / chart / "values.schema.json").read_text()), "")
