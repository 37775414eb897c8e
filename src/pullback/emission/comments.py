"""What a line computes, in matrix notation: the program's statement, or the derivative in the names of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pullback.emission.drafting import Drawn
from pullback.lifting.statements import is_matrix_form, is_row
from pullback.spelling.speller import Line
from pullback.syntax.printer import show
from pullback.tensor.node import Node, Variable, topological
from pullback.tensor.substitute import Lifted, substitute_all

_LONGEST = 88
_DEEPEST = 12
WIDTH = 100
"""From this width on a comment stands above its line."""


def comments(drawn: Drawn, lines: Iterable[Line]) -> dict[Line, str]:
    """For lines, what they compute."""
    subject = drawn.subject
    if not subject.has_backward:
        return {}
    found: dict[Line, str] = {}
    labels = dict(zip(drawn.results, subject.labels, strict=True))
    roots = dict(zip(drawn.results, subject.task.roots, strict=True))
    slots = {own: result.slot for own, result in zip(drawn.results, drawn.plan.results, strict=True)}
    forward = {node: f"dL/d{own}" for node, own in subject.called.items()}
    names: dict[Node, str] = {}
    for line in lines:
        node = drawn.nodes.get(line.slot)
        if slots.get(line.name) == line.slot:
            root, shape = roots[line.name]
            if labels[line.name] is None:
                found[line] = subject.statements.get(root, "")
            else:
                found[line] = _spelled(drawn, names, root, shape, f"dL/d{labels[line.name]}")
            names.setdefault(root if node is None else node, line.name)
        elif node is not None and line.name not in slots:
            if node in subject.statements:
                found[line] = subject.statements[node]
            elif line.call and drawn.wanted.get(line.slot) != line.name:
                continue
            elif isinstance(node, Variable) and node in subject.task.standins:
                if subject.cotangents[node] in forward:
                    left = forward[subject.cotangents[node]]
                    found[line] = _spelled(drawn, names, subject.task.standins[node], node.axes, left)
            else:
                found[line] = _spelled(drawn, names, node, node.axes, line.name)
            names[node] = line.name
    return {line: text for line, text in found.items() if text}


def _spelled(drawn: Drawn, names: Mapping[Node, str], node: Node, shape: Sequence[object], left: str) -> str:
    """A node in the names that the file has by now; nothing where it has no short matrix form."""
    opened = _opened(node, drawn.subject.task.standins, names)
    if opened is None:
        return ""
    words = replace(drawn.subject.words, spelling={**drawn.subject.words.spelling, **drawn.names})
    speller = words.speller({**names}, frozenset(words.shapes))
    if opened in names:
        tree = speller.spell(opened)
    else:
        tree = speller.spell_row(opened) if is_row(tuple(shape)) else speller.spell_out(opened)  # type: ignore[arg-type]
    text = f"{left} = {show(tree)}"
    return text if is_matrix_form(tree) and len(text) <= _LONGEST else ""


def _opened(node: Node, standins: Mapping[Variable, Node], names: Mapping[Node, str]) -> Node | None:
    """The node with the stand-ins that have no name replaced by what they stand for."""
    for _ in range(_DEEPEST):
        hidden = [n for n in topological([node]) if isinstance(n, Variable) and n in standins and n not in names]
        if not hidden:
            return node
        node = substitute_all([node], {variable: Lifted(standins[variable]) for variable in hidden})[0].node
    return None


def written(line: Line, comment: str | None, indent: int = 4) -> list[str]:
    """A line with its comment, behind it or above."""
    text = f"{' ' * indent}{line}"
    if not comment:
        return [text]
    whole = f"{text}  # {comment}"
    return [whole] if len(whole) <= WIDTH else [f"{' ' * indent}# {comment}", text]
