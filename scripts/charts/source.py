"""Reads the sources of values: YAML of the kind that people write by hand, with
its comments.

Only a part of YAML is understood, and anything else is refused: mappings by
indentation, scalars on one line, lists and empty mappings as JSON. A comment right
above a key belongs to the key; its lines that begin with `@` are not for readers but
for the schema:

    @type integer|null      what the value may be, where the default does not say it
    @enum a, b              one of these
    @min 1, @max 10         bounds
    @pattern ^[a-z]+$       of a text
    @items {"type": …}      JSON schema of the items of a list
    @map {"type": …}        any keys, with values of this JSON schema
    @open TEXT              any object; TEXT says of what kind
    @schema {…}             more of JSON schema
    @for CHART, CHART       only these charts have the key
"""

import json
import re
from dataclasses import dataclass, field

NOTES = {"type", "enum", "min", "max", "pattern", "items", "map", "open", "schema", "for", "settings", "secrets"}
KEY = re.compile(r"^(\s*)([A-Za-z0-9_.-]+):(?:\s+(.*))?$")


class Wrong(Exception):
    """A source that cannot be read, and where."""


@dataclass
class Node:
    """A key of the values: a leaf has `raw` and `value`, a branch has `children`."""

    comment: list = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    raw: str | None = None
    value: object = None
    children: dict | None = None

    def is_branch(self):
        return self.children is not None


def read(path):
    """The prose that the file begins with, and its tree."""
    lines = path.read_text().splitlines()
    prose, start = head(lines)
    root = Node(children={})
    stack = [(-1, root)]
    comment = []
    for number, line in enumerate(lines[start:], start + 1):
        where = f"{path}:{number}"
        text = line.strip()
        if not text:
            if comment:
                raise Wrong(f"{where}: a comment that belongs to no key")
            continue
        if text.startswith("#"):
            comment.append(text[1:].removeprefix(" "))
            continue
        match = KEY.match(line)
        if not match:
            raise Wrong(f"{where}: expected `key: value`, got {text!r}")
        indent, key, raw = len(match[1]), match[2], match[3]
        while stack[-1][0] >= indent:
            stack.pop()
        parent = stack[-1][1]
        if not parent.is_branch() or (parent.children and indent_of(parent) not in (None, indent)):
            raise Wrong(f"{where}: indentation")
        if key in parent.children:
            raise Wrong(f"{where}: {key} stands twice")
        node = node_of(comment, raw, where)
        node.indent = indent
        parent.children[key] = node
        stack.append((indent, node))
        comment = []
    if comment:
        raise Wrong(f"{path}: ends with a comment that belongs to no key")
    refuse_empty(root, path)
    return prose, root


def head(lines):
    """The first comment, if an empty line parts it from what follows."""
    end = 0
    while end < len(lines) and lines[end].startswith("#"):
        end += 1
    if end and (end == len(lines) or not lines[end].strip()):
        return [line[1:].removeprefix(" ") for line in lines[:end]], end
    return [], 0


def indent_of(parent):
    first = next(iter(parent.children.values()), None)
    return None if first is None else first.indent


def node_of(comment, raw, where):
    node = Node()
    for line in comment:
        if not line.startswith("@"):
            node.comment.append(line)
            continue
        name, _, rest = line[1:].partition(" ")
        if name not in NOTES:
            raise Wrong(f"{where}: unknown note @{name}")
        node.notes[name] = json_of(rest, where) if name in ("items", "map", "schema") else rest.strip()
    if raw is None:
        node.children = {}
    else:
        node.raw, node.value = raw, scalar(raw, where)
    return node


def json_of(text, where):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Wrong(f"{where}: not JSON: {error}") from None


def scalar(raw, where):
    if raw.startswith("'"):
        if len(raw) < 2 or not raw.endswith("'"):
            raise Wrong(f"{where}: a quote is open")
        return raw[1:-1].replace("''", "'")
    if raw[0] in "[{\"":
        return json_of(raw, where)
    if raw[0] in "|>&*!%@`" or " #" in raw or ": " in raw:
        raise Wrong(f"{where}: write this value in quotes")
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def refuse_empty(node, path, name=""):
    for key, child in node.children.items():
        if child.is_branch():
            if not child.children:
                raise Wrong(f"{path}: {name}{key} has neither a value nor keys")
            refuse_empty(child, path, f"{name}{key}.")
