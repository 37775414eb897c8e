"""What a line computes, in matrix notation: the program's statement, or the derivative in the names of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pullback.emission.drafting import Drawn
from pullback.lifting.statements import is_matrix_form, is_row
from pullback.spelling.speller import Line
from pullback.syntax.printer import show
from pullback.tensor.node import Node, Variable, topological
from pullback.tensor.product import transposed
from pullback.tensor.substitute import Lifted, substitute_all

_LONGEST = 88
_DEEPEST = 12
WIDTH = 100
"""From this width on a comment stands above its line."""


class _Names:
    """The nodes that lines of the file hold by now; a name may stand for the transpose of a node."""

    def __init__(self) -> None:
        self.names: dict[Node, str] = {}
        self.flipped: set[Node] = set()

    def add(self, node: Node, turned: bool, name: str) -> None:
        """A name holds a node, or its transpose."""
        self._put(node, turned, name)
        if len(node.axes) == 2 and not isinstance(node, Variable):
            self._put(transposed(node), not turned, name)

    def _put(self, node: Node, turned: bool, name: str) -> None:
        self.names[node] = name
        self.flipped = self.flipped | {node} if turned else self.flipped - {node}


def comments(drawn: Drawn, lines: Iterable[Line]) -> dict[Line, str]:
    """For lines, what they compute."""
    subject = drawn.subject
    if not subject.has_backward:
        return {}
    found: dict[Line, str] = {}
    labels = dict(zip(drawn.results, subject.labels, strict=True))
    roots = dict(zip(drawn.results, subject.task.roots, strict=True))
    slots = {own: result.slot for own, result in zip(drawn.results, drawn.plan.results, strict=True)}
    known = _Names()
    for line in lines:
        node, turned = drawn.nodes.get(line.slot, (None, False))
        if slots.get(line.name) == line.slot:
            root, shape = roots[line.name]
            if labels[line.name] is None:
                found[line] = subject.statements.get(root) or _spelled(drawn, known, root, shape, line.name)
            else:
                found[line] = _spelled(drawn, known, root, shape, f"dL/d{labels[line.name]}")
            known.add(root, False, line.name)
        elif node is not None and line.name not in slots:
            if not (line.call and drawn.wanted.get(line.slot) != line.name):
                found[line] = _of_slot(drawn, known, node, turned, line)
            elif not turned and node in subject.statements:
                found[line] = subject.statements[node]
        written_over = line.call and line.name not in (drawn.wanted.get(line.slot), *_results_at(drawn, line.slot))
        if node is not None and not written_over:
            known.add(node, turned, line.name)
    return {line: text for line, text in found.items() if text}


def _results_at(drawn: Drawn, slot: int) -> list[str]:
    return [own for own, result in zip(drawn.results, drawn.plan.results, strict=True) if result.slot == slot]


def _of_slot(drawn: Drawn, known: _Names, node: Node, turned: bool, line: Line) -> str:
    """What a line says that is neither the output nor a gradient."""
    subject = drawn.subject
    held = transposed(node) if turned else node
    if held in subject.statements:
        return subject.statements[held]
    if isinstance(node, Variable) and node in subject.task.standins:
        if line.slot not in drawn.wanted:
            return ""
        defined = subject.task.standins[node]
        left = f"dL/d{line.name.removeprefix('d')}"
        return _spelled(drawn, known, transposed(defined) if turned else defined, node.axes, left)
    return _spelled(drawn, known, held, held.axes, line.name)


def _spelled(drawn: Drawn, known: _Names, node: Node, shape: Sequence[object], left: str) -> str:
    """A node in the names that the file has by now; nothing where it has no short matrix form."""
    opened = _opened(node, drawn.subject.task.standins, known.names)
    if opened is None:
        return ""
    words = replace(drawn.subject.words, spelling={**drawn.subject.words.spelling, **drawn.names})
    speller = words.speller(dict(known.names), frozenset(words.shapes))
    speller.flipped = set(known.flipped)
    if opened in known.names:
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
