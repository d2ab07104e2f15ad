"""One chart: which sections it has, and what it says otherwise than they do."""

import copy
from dataclasses import dataclass

import source
from source import Node, Wrong


@dataclass
class Section:
    """A part of the values that stands together, under one heading."""

    prose: list
    tree: Node


@dataclass
class Chart:
    name: str
    prose: list
    sections: list

    def tree(self):
        """All sections as one."""
        root = Node(children={})
        for section in self.sections:
            root.children.update(section.tree.children)
        return root


def read(path, home):
    prose, root = source.read(path)
    known = {"sections", "values"}
    if root.children.keys() - known:
        raise Wrong(f"{path}: expected {sorted(known)}")
    name = path.stem
    sections = []
    for part in root.children["sections"].value:
        about, tree = source.read(home / f"{part}.yaml")
        sections.append(Section(about, only_for(name, tree)))
    own = root.children.get("values")
    if own is not None and own.is_branch():
        merge(own, sections)
    taken = [key for section in sections for key in section.tree.children]
    for key in taken:
        if taken.count(key) > 1:
            raise Wrong(f"{path}: {key} stands in two sections")
    return Chart(name, prose, sections)


def only_for(name, node):
    """Without the keys that are for other charts."""
    node = copy.copy(node)
    if node.is_branch():
        kept = {}
        for key, child in node.children.items():
            charts = child.notes.get("for")
            if charts is None or name in [chart.strip() for chart in charts.split(",")]:
                kept[key] = only_for(name, child)
        node.children = kept
    return node


def merge(own, sections):
    """What a chart says of its own wins; what no section has is a section of its own."""
    extra = {}
    for key, node in own.children.items():
        home = next((section for section in sections if key in section.tree.children), None)
        if home is None:
            extra[key] = node
        else:
            home.tree.children[key] = merged(home.tree.children[key], node)
    if extra:
        sections.append(Section([], Node(children=extra)))


def merged(base, own):
    if own.is_branch() and base.is_branch():
        children = dict(base.children)
        for key, child in own.children.items():
            children[key] = merged(children[key], child) if key in children else child
        return Node(own.comment or base.comment, base.notes | own.notes, children=children)
    # A new value keeps what the section says of it.
    return Node(own.comment or base.comment, base.notes | own.notes, own.raw, own.value, own.children)
