"""What the parts of a step are called: graphs over the names of steps, in the notation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullback.errors import PullbackError
from pullback.lifting.lift import Speller
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.printer import show
from pullback.tensor.node import Node, Variable, topological

LONGEST = 60
"""A part that needs more letters than this is called by its name."""


@dataclass
class Wording:
    """Writes graphs with the names that people know; a step that nobody named is written out."""

    shapes: dict[str, Any] = field(default_factory=dict)
    trees: dict[str, tree.Syntax] = field(default_factory=dict)

    def know(self, name: str, shape: tuple[object, ...], said: tree.Syntax | str | None = None) -> None:
        """Take in a name of the graph with its shape, and what it is called where that is something else."""
        key = normalise(name)
        self.shapes[key] = shape
        self.trees[key] = tree.Name(said) if isinstance(said, str) else said if said is not None else tree.Name(name)

    def tree(self, node: Node) -> tree.Syntax:
        """The node as a syntax tree."""
        try:
            found = Speller(self.shapes).spell_out(node)
        except (PullbackError, AssertionError, KeyError, ValueError, IndexError):
            names = [v.name for v in topological([node]) if isinstance(v, Variable)]
            return tree.Name(", ".join(show(self.trees.get(n, tree.Name(n))) for n in names[:3]))
        return _named(found, self.trees)

    def of(self, node: Node) -> str:
        """The node as text."""
        return show(self.tree(node))

    def name(self, name: str) -> str:
        """What a variable of the graph is called."""
        found = self.trees.get(normalise(name))
        return show(found) if found is not None else name


def _named(node: tree.Syntax, known: Mapping[str, tree.Syntax]) -> tree.Syntax:
    from pullback.syntax.forms import fold, rebuild

    def visit(part: tree.Syntax, parts: list[tree.Syntax]) -> tree.Syntax:
        if isinstance(part, tree.Name) and part.identifier in known:
            return known[part.identifier]
        return rebuild(part, parts)

    return fold(node, visit)
