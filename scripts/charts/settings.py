"""What docs/settings.json says of the settings of each process, for their part of the
schema and for what templates have to know: which keys are secrets, and which take effect
without a restart."""

import copy
import json

SUFFIX = "_file"


class Settings:
    def __init__(self, path):
        self.all = json.loads(path.read_text())

    def has(self, name):
        return name in self.all

    def schema(self, name):
        """Of the values below `settings`: all keys but the secrets, which have no place in
        a ConfigMap, and any of them from a file. Nothing is required, since the chart adds
        what it knows itself."""
        return open_schema(self.all[name])

    def secrets_schema(self, name):
        """Of the values below `secrets.keys`: the secret keys, and where in the Secret each
        one stands."""
        return secrets_only(self.all[name])

    def secret_paths(self, name):
        return [path for path, _ in leaves(self.all[name]) if is_secret(self.all[name], path)]

    def reloaded_paths(self, name):
        """Without those that stand in a section which is named."""
        return list(reloaded(self.all[name], ()))


def is_secret_key(properties, key):
    return key + SUFFIX in properties


def is_secret(schema, path):
    *sections, key = path
    for section in sections:
        schema = schema["properties"][section]
    return is_secret_key(schema["properties"], key)


def leaves(schema, path=()):
    for key, value in schema["properties"].items():
        if "properties" in value:
            yield from leaves(value, (*path, key))
        elif not key.endswith(SUFFIX):
            yield (*path, key), value


def reloaded(schema, path):
    for key, value in schema["properties"].items():
        if value.get("x-reload"):
            yield (*path, key)
        elif "properties" in value:
            yield from reloaded(value, (*path, key))


def open_schema(schema):
    properties = {}
    for key, value in schema["properties"].items():
        if "properties" in value:
            properties[key] = open_schema(value)
        elif key.endswith(SUFFIX):
            continue
        else:
            if not is_secret_key(schema["properties"], key):
                properties[key] = plain(value)
            properties[key + SUFFIX] = {"type": "string"}
    found = {"type": "object", "additionalProperties": False, "properties": properties}
    if "description" in schema:
        found["description"] = one_line(schema["description"])
    return found


def plain(value):
    """In the words of draft 7, which every Helm 3 understands."""
    value = copy.deepcopy(value)
    for key in [key for key in value if key.startswith("x-") or key in ("format", "default")]:
        del value[key]
    if "description" in value:
        value["description"] = one_line(value["description"])
    return value


def secrets_only(schema):
    properties = {}
    for key, value in schema["properties"].items():
        if "properties" in value:
            inner = secrets_only(value)
            if inner["properties"]:
                properties[key] = inner
        elif is_secret_key(schema["properties"], key):
            properties[key] = {"type": "string", "description": one_line(value.get("description", ""))}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def one_line(text):
    return " ".join(text.split())
