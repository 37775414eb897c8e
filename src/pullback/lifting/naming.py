"""Which parts of a result get a name of their own: ``where s = sigmoid(X w)``.

A part is named where that makes the whole shorter to write (the cost of ``simplification.cost``, the
where-line counted), where the program has a name for it already and it is not trivial, and where
nesting gets too deep to read. Only shared nodes are candidates, so any depth costs what it is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pullback.lifting.alphabet import leading
from pullback.tensor.add import scaled
from pullback.tensor.node import Apply, Node, Product, Rational, Sum, topological, variables
from pullback.tensor.product import constant_axes, number_of, transposed

_DEEPEST = 12
_LONGEST = 60
_OWN_NAME_FROM = 4
_LETTERS = {
    "sigmoid": "s", "softmax": "p", "hardmax": "p", "exp": "e", "tanh": "t", "relu": "h", "step": "d",
    "inv": "K", "chol": "L", "sum": "r",
}  # fmt: skip


def choose_names(
    roots: Sequence[Node], given: Mapping[Node, str], taken: Iterable[str], rename_all: bool = True
) -> dict[Node, str]:
    """Choose the parts below the roots that get a name.

    Args:
        roots: What is to be printed.
        given: Names that the program has for nodes.
        taken: Names that are in use.
        rename_all: Whether parts without a name may get one.
    """
    order = list(topological(roots))
    references = _references(order)
    if len(roots) > 1:
        for root in roots:
            references[root] = references.get(root, 0) + 1
    votes = _votes(roots, order)
    used = set(taken)
    names: dict[Node, str] = {}
    weight: dict[Node, int] = {}
    full: dict[Node, int] = {}
    depth: dict[Node, int] = {}
    whole = set(roots)
    nested = _nested(order)
    held: set[Node] = set()
    for node in order:
        weight[node] = _weight(node, weight, held)
        full[node] = _weight(node, full, set())
        depth[node] = 1 + max((0 if c in held else depth[c] for c in node.children), default=0)
        if (node in whole and references.get(node, 0) < 2) or not node.children or not _nameable(node):
            continue
        uses = references.get(node, 0)
        shorter = weight[node] + 1 + uses <= uses * weight[node] and uses > 1
        owned = _owned(node, given) if shorter or full[node] >= _OWN_NAME_FROM else None
        if owned is not None:
            names[owned] = given[owned]
            held.add(node)
            continue
        if (
            rename_all
            and len(node.axes) <= 2
            and (shorter or node in nested or depth[node] > _DEEPEST or weight[node] > _LONGEST)
        ):
            if len(node.axes) == 2 and isinstance(node, Sum) and transposed(node) in names:
                continue
            name = _fresh(node, used)
            used.add(name)
            names[_positive(node, weight, held, votes.get(node, 0))] = name
            held.add(node)
    return names


def _nested(order: Iterable[Node]) -> set[Node]:
    """Products that stay as they are inside longer ones: written out, they would be read as one."""
    return {
        factor.node
        for node in order
        if isinstance(node, Product)
        for factor in node.factors
        if factor.exponent == 1 and isinstance(factor.node, Product) and factor.node.axes
    }


def _nameable(node: Node) -> bool:
    """Whether a name makes sense: a number in front of something is no part of its own."""
    return not (isinstance(node, Sum) and len(node.terms) == 1)


def _owned(node: Node, given: Mapping[Node, str]) -> Node | None:
    """The node, or its negative, if the program has a name for it."""
    if node in given:
        return node
    return scaled(-1, node) if isinstance(node, Sum) and scaled(-1, node) in given else None


def _votes(roots: Sequence[Node], order: Sequence[Node]) -> dict[Node, int]:
    """For each factor whose sign shows, how often it is used with a plus more than with a minus."""
    votes: dict[Node, int] = {}

    def count(node: Node, sign: int) -> None:
        if isinstance(node, Product):
            for part, power in _powers(node).items():
                if power % 2 == 1:
                    votes[part] = votes.get(part, 0) + sign

    for root in roots:
        count(root, 1)
    for node in order:
        if isinstance(node, Sum):
            for coefficient, term in node.terms:
                count(term, 1 if coefficient > 0 else -1)
    return votes


def _powers(node: Product) -> dict[Node, Rational]:
    """How often each factor stands in a product, those of its scalar factors too: -g' r r keeps its sign."""
    powers: dict[Node, Rational] = {}
    for factor in node.factors:
        if not isinstance(factor.exponent, int):
            continue
        inner = _powers(factor.node) if isinstance(factor.node, Product) and not factor.indices else {factor.node: 1}
        for part, power in inner.items():
            powers[part] = powers.get(part, 0) + power * factor.exponent
    return powers


def _positive(node: Node, weight: Mapping[Node, int], held: set[Node], votes: int) -> Node:
    """Of a difference and its negative, the one used with a plus; else whose longer part is positive."""
    if not isinstance(node, Sum) or all(c > 0 for c, _ in node.terms):
        return node
    if all(c < 0 for c, _ in node.terms):
        return scaled(-1, node)
    constant = next((c for c, n in node.terms if number_of(n) is not None), 0)
    if constant:
        return node if constant > 0 else scaled(-1, node)
    steady = {n for _, n in node.terms if constant_axes(n)}
    signs = {c > 0 for c, n in node.terms if n not in steady}
    if steady and len(signs) == 1:
        return node if signs == {True} else scaled(-1, node)
    if votes:
        return node if votes > 0 else scaled(-1, node)
    plus, minus = (
        (
            -sum(_weight(n, weight, held) for _, n in side),
            min((leading(v.name) for v in variables(n for _, n in side)), default=(0, ())),
        )
        for side in ([t for t in node.terms if (t.coefficient > 0) == positive] for positive in (True, False))
    )
    return scaled(-1, node) if minus < plus else node


def _references(order: Sequence[Node]) -> dict[Node, int]:
    count: dict[Node, int] = {}
    for node in order:
        for child in node.children:
            if isinstance(child, Sum) and len(child.terms) == 1:
                continue
            if isinstance(node, Sum) and isinstance(child, Product) and child.axes:
                continue
            count[child] = count.get(child, 0) + 1
    return count


def _weight(node: Node, weight: Mapping[Node, int], held: set[Node]) -> int:
    def of(child: Node) -> int:
        return 1 if child in held else weight[child]

    if isinstance(node, Sum):
        return sum(of(n) + (c not in (1, -1)) for c, n in node.terms) or 1
    if isinstance(node, Product):
        return max(1, sum(of(f.node) + (f.exponent not in (1, -1)) for f in node.factors))
    if isinstance(node, Apply):
        return 1 + sum(of(argument) for argument in node.arguments)
    return 1


def _fresh(node: Node, used: set[str]) -> str:
    kind = node.operation.name if isinstance(node, Apply) else "sum" if isinstance(node, Sum) else "c"
    letter = _LETTERS.get(kind, "c" if not node.axes else "v")
    letter = letter.upper() if len(node.axes) == 2 else letter.lower()
    if not node.axes and kind in ("sum", "c"):
        letter = "c"
    if letter not in used:
        return letter
    k = 1
    while f"{letter}{k}" in used:
        k += 1
    return f"{letter}{k}"
