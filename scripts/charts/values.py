"""Writes a chart's values.yaml."""

HEAD = "# Written by `make generate` from helm/values; change it there."


def text(chart):
    lines = [HEAD]
    for section in chart.sections:
        if section.prose:
            lines += ["", *comment(section.prose, "")]
        for key, node in section.tree.children.items():
            lines += ["", *entry(key, node, "")]
    return "\n".join(lines) + "\n"


def entry(key, node, indent):
    lines = comment(node.comment, indent)
    if not node.is_branch():
        return [*lines, f"{indent}{key}: {node.raw}"]
    if not node.children:
        return [*lines, f"{indent}{key}: {{}}"]
    lines.append(f"{indent}{key}:")
    for name, child in node.children.items():
        lines += entry(name, child, indent + "  ")
    return lines


def comment(prose, indent):
    return [f"{indent}# {line}".rstrip() for line in prose]
