"""Writes a chart's README.md: what its source says of it, and a table of its values."""

import json


def text(chart):
    lines = [
        f"# {chart.name}",
        "",
        *chart.prose,
        "",
        "## Values",
        "",
        "This page is written by `make generate` from the comments of the values; all of them are",
        "checked by `values.schema.json`, and what is not listed here is refused.",
    ]
    for section in chart.sections:
        lines += [""] + section.prose + ([""] if section.prose else []) + ["| Key | Default | Meaning |", "|---|---|---|"]
        for key, node in section.tree.children.items():
            lines += rows(key, node)
    return "\n".join(lines) + "\n"


def rows(key, node):
    if not node.is_branch() or not node.children:
        default = "{}" if node.is_branch() else shown(node)
        return [f"| `{key}` | {code(default)} | {meaning(node)} |"]
    found = []
    if node.comment:
        found.append(f"| `{key}` | | {meaning(node)} |")
    for name, child in node.children.items():
        found += rows(f"{key}.{name}", child)
    return found


def shown(node):
    """As it is written, where that is easier to read."""
    return node.raw if node.raw.startswith("'") else json.dumps(node.value, ensure_ascii=False)


def code(text):
    return f"`` {text} ``" if "`" in text else f"`{text}`".replace("|", "\\|")


def meaning(node):
    words = " ".join(node.comment).replace("|", "\\|")
    if "enum" in node.notes:
        choices = ", ".join(f"`{choice.strip()}`" for choice in node.notes["enum"].split(",") if choice.strip())
        words = f"{words} One of {choices}.".strip()
    if "open" in node.notes and node.notes["open"]:
        words = f"{words} ({node.notes['open']})".strip()
    return words
