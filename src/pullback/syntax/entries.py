"""Functions of entries, inside index notation, as entries of functions.

The body of a comprehension is a sum of products of entries. ``log(1 + x[i])`` is the entry
``log(1 + x)[i]`` of an entrywise function; written so, every body has that form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from pullback.errors import NotationError, Place, Span
from pullback.syntax.forms import chain, children, fold, rebuild
from pullback.syntax.names import kind_of
from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

ENTRYWISE = frozenset(
    "exp log sin cos tan sinh cosh tanh sigmoid relu leaky_relu softplus sqrt abs sign erf gelu silu step square max "
    "min where".split()
)
"""Functions that act entry by entry, of one argument or several."""

_OF_VECTORS = frozenset("norm norm1 dot outer diag softmax sum mean logsumexp".split())
_AXES = ("rows", "columns")
_CLOSED = (Indexed, Comprehension)


class Summed(NamedTuple):
    """What a written sum runs over: its indices, and how long those are that have an upper bound."""

    indices: frozenset[str]
    lengths: Mapping[str, str | int]


class Gatherer:
    """Rewrites the bodies of comprehensions in one text."""

    def __init__(self, text: str, entrywise: Collection[str], scalars: Collection[str]) -> None:
        self.text = text
        self.entrywise = ENTRYWISE | frozenset(entrywise)
        self.scalars = frozenset(scalars)
        self._written = False

    def body(self, tree: Syntax, bound: frozenset[str], span: Span) -> Syntax:
        """Give a body as a sum of products of entries; each product has the indices of a written sum.

        Args:
            tree: The body as it was written.
            bound: The indices that a sum names; none in Einstein's convention.
            span: The place of the sum.
        """
        missing = bound - _indices(tree)
        if missing:
            names = ", ".join(sorted(missing))
            raise self._refuse(f"the index {names} is on no entry in this sum", span, "give it to an entry: x_i")
        self._written = bool(bound)
        if bound and (_has_rows(tree) or not _plainly_entries(tree)):
            return self._completed(tree, bound)
        try:
            gathered = fold(tree, self._visit, _CLOSED)
            if bound and not all(bound <= _indices(term) for term in _terms(gathered)):
                gathered = self._lift(gathered)
                if bound - _indices(gathered):
                    return self._completed(tree, bound)
            return gathered
        except NotationError:
            if not bound:
                raise
            return self._completed(tree, bound)

    def _completed(self, tree: Syntax, bound: frozenset[str]) -> Syntax:
        """Give a body as it stands, with every term as often as the sum runs: by ones over what it lacks."""
        lengths = lengths_in(tree)
        return _each_term(tree, lambda term: _repeated(term, sorted(bound - _indices(term)), lengths))

    def summed(self, tree: Syntax, over: Summed, span: Span) -> Syntax:
        """Give the body of a written sum; an index that runs to a number is as long as that."""
        tree = self.body(tree, over.indices, span)
        for index, length in over.lengths.items():
            if isinstance(length, int):
                ones = Indexed(Call("ones", (Number(Fraction(length), span),), span), (index,), span)
                tree = chain([tree, ones], ["*"], span)
        return tree

    def _visit(self, node: Syntax, parts: list[Syntax]) -> Syntax:
        if not any(map(_entries, parts)):
            return node
        tree = rebuild(node, parts)
        match tree:
            case Call() | Power():
                return self._lift(tree)
            case Chain() if not tree.is_sum:
                return self._product(tree)
            case _:
                return tree

    def _product(self, tree: Chain) -> Syntax:
        later = zip(tree.operators, tree.operands[1:], strict=True)
        if any(operator == "kron" or (operator != "*" and _entries(operand)) for operator, operand in later):
            return self._lift(tree)
        return Chain(tuple(self._try_sum(operand) for operand in tree.operands), tree.operators, tree.span)

    def _try_sum(self, operand: Syntax) -> Syntax:
        """Give a sum of entries inside a product as one entry, where that can be."""
        if not (isinstance(operand, Chain) and operand.is_sum) or len({e.indices for e in _entries(operand)}) != 1:
            return operand
        try:
            return self._lift(operand)
        except NotationError:
            return operand

    def _lift(self, tree: Syntax) -> Syntax:
        """Write a function of entries that all have the same indices as an entry of a function."""
        entries = _entries(tree)
        other = next((e for e in entries if e.indices != entries[0].indices), None)
        if other is not None:
            raise NotationError(
                "a function of entries with different indices is not read",
                source=self.text,
                places=(Place(entries[0].span), Place(other.span, "has other indices")),
                hint="write it with matrices: log(A + b ones(n)')",
            )
        if not entries:
            raise self._refuse("this sum has no entries", tree.span, "write a sum over entries, such as x_i y_i")
        return Indexed(fold(tree, self._strip, _CLOSED), entries[0].indices, tree.span)

    def _strip(self, node: Syntax, parts: list[Syntax]) -> Syntax:
        match node:
            case Indexed():
                return node.operand
            case Comprehension() | Name():
                return node
        name = next((below for below in children(node) if isinstance(below, Name) and self._is_array(below)), None)
        if name is not None:
            raise self._refuse(
                f"'{name.identifier}' has no index here",
                name.span,
                f"declare it, {name.identifier} : scalar, or index it",
            )
        tree = rebuild(node, parts)
        if isinstance(tree, Call) and _entries(node) and tree.function.rstrip("'") not in self.entrywise:
            raise self._refuse(f"{tree.function} of an entry is not read", node.span, "write the sum with matrices")
        if not _entries(node):
            return node
        if isinstance(tree, Power):
            return Power(tree.base, tree.exponent, True, tree.span)
        if isinstance(tree, Chain) and not tree.is_sum:
            if "kron" in tree.operators:
                raise self._refuse("a Kronecker product of entries is not read", node.span, "write a product")
            operators = tuple("./" if operator in ("/", "./") else ".*" for operator in tree.operators)
            return Chain(tree.operands, operators, tree.span)
        return tree

    def _is_array(self, name: Name) -> bool:
        """Tell whether a name without an index may have axes; of a written sum, the whole program decides that."""
        suggests = self._written or kind_of(name.identifier) != "scalar"
        return suggests and name.identifier not in self.scalars

    def _refuse(self, message: str, span: Span, hint: str) -> NotationError:
        return NotationError(message, source=self.text, places=(Place(span),), hint=hint)


def lengths_in(tree: Syntax) -> dict[str, Syntax]:
    """Give the length of each index of the entries in a tree, as the size of what has that index first."""
    return {
        index: Call("size", (entry.operand, Name(_AXES[position])))
        for entry in reversed(_entries(tree))
        for position, index in enumerate(entry.indices[:2])
    }


def _has_rows(tree: Syntax) -> bool:
    """Tell whether an entry is used as a vector: transposed, or under a norm."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Transpose) or (isinstance(node, Call) and node.function in _OF_VECTORS):
            if _entries(node):
                return True
        if not isinstance(node, _CLOSED):
            todo.extend(children(node))
    return False


def _plainly_entries(tree: Syntax) -> bool:
    """Tell whether the name of each entry suggests as many axes as it has indices, so that none can be a row."""
    axes = {"scalar": 0, "vector": 1, "matrix": 2}
    return all(
        not isinstance(entry.operand, Name) or axes[kind_of(entry.operand.identifier)] == len(entry.indices)
        for entry in _entries(tree)
    )


def _each_term(tree: Syntax, change: Callable[[Syntax], Syntax]) -> Syntax:
    """Change the terms of a sum, whatever signs and brackets are between."""
    if isinstance(tree, Negate):
        return Negate(_each_term(tree.operand, change), tree.span)
    if isinstance(tree, Chain) and tree.is_sum:
        return Chain(tuple(_each_term(operand, change) for operand in tree.operands), tree.operators, tree.span)
    return change(tree)


def _repeated(term: Syntax, missing: Sequence[str], lengths: Mapping[str, Syntax]) -> Syntax:
    if not missing:
        return term
    ones = [Indexed(Call("ones", (lengths[index],), term.span), (index,), term.span) for index in missing]
    return chain([term, *ones], ["*"] * len(ones), term.span)


def _entries(tree: Syntax) -> list[Indexed]:
    """Give the entries in a tree that are not inside another comprehension or another entry."""
    found: list[Indexed] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Indexed):
            found.append(node)
        elif not isinstance(node, Comprehension):
            todo.extend(reversed(children(node)))
    return found


def _indices(tree: Syntax) -> frozenset[str]:
    return frozenset(index for entry in _entries(tree) for index in entry.indices)


def _terms(tree: Syntax) -> list[Syntax]:
    terms: list[Syntax] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Negate):
            todo.append(node.operand)
        elif isinstance(node, Chain) and node.is_sum:
            todo.extend(reversed(node.operands))
        else:
            terms.append(node)
    return terms
