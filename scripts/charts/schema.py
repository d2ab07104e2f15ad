"""Writes a chart's values.schema.json: strict, so that a key that is written wrong is
refused instead of doing nothing."""

import json

DRAFT = "http://json-schema.org/draft-07/schema#"
ANY_OBJECT = {"type": "object"}
# What Helm itself puts beside the values of a chart.
FROM_HELM = {"global": ANY_OBJECT, "cartwright-service": ANY_OBJECT}


class Unclear(Exception):
    """A value whose type cannot be told."""


def text(chart, settings):
    schema = branch(chart.tree(), "", chart.name, settings)
    schema["properties"] = FROM_HELM | schema["properties"]
    whole = {"$schema": DRAFT, "title": f"Values of {chart.name}", **schema}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def of(path, node, chart, settings):
    schema = described(node)
    notes = node.notes
    if "settings" in notes:
        return schema | settings.schema(chart)
    if "secrets" in notes:
        return schema | settings.secrets_schema(chart)
    if "open" in notes:
        return schema | {"type": "object"}
    if "map" in notes:
        return schema | {"type": "object", "additionalProperties": notes["map"]}
    if node.is_branch():
        return schema | branch(node, path, chart, settings) | notes.get("schema", {})
    return schema | leaf(path, node)


def described(node):
    return {"description": " ".join(node.comment)} if node.comment else {}


def branch(node, path, chart, settings):
    prefix = f"{path}." if path else ""
    properties = {key: of(prefix + key, child, chart, settings) for key, child in node.children.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def leaf(path, node):
    notes = node.notes
    schema = {}
    if "enum" in notes:
        schema["enum"] = [choice.strip() for choice in notes["enum"].split(",")]
    elif "type" in notes:
        kinds = notes["type"].split("|")
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    else:
        schema["type"] = kind(path, node)
    if "items" in notes:
        schema["items"] = notes["items"]
    elif isinstance(node.value, list):
        raise Unclear(f"{path}: a list needs @items")
    for note, word in (("min", "minimum"), ("max", "maximum")):
        if note in notes:
            schema[word] = json.loads(notes[note])
    if "pattern" in notes:
        schema["pattern"] = notes["pattern"]
    return schema | notes.get("schema", {})


def kind(path, node):
    match node.value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            raise Unclear(f"{path}: needs @type, @open or @map")
