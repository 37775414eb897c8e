"""Which parts of a result get a name of their own: ``where s = sigmoid(X w)``.

A part is named where that makes the whole shorter to write (the cost of ``simplification.cost``, the
where-line counted), where the program has a name for it already and it is not trivial, and where
nesting gets too deep to read. Only shared nodes are candidates, so any depth costs what it is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pullback.tensor.node import Apply, Node, Product, Sum, topological
from pullback.tensor.product import transposed

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
    references = _references(order, roots)
    used = set(taken)
    names: dict[Node, str] = {}
    weight: dict[Node, int] = {}
    depth: dict[Node, int] = {}
    whole = set(roots)
    for node in order:
        weight[node] = _weight(node, weight, names)
        depth[node] = 1 + max((0 if c in names else depth[c] for c in node.children), default=0)
        if node in whole or isinstance(node, Product) and node.axes or not node.children:
            continue
        name = given.get(node)
        if name is not None and weight[node] >= _OWN_NAME_FROM:
            names[node] = name
            continue
        uses = references.get(node, 0)
        shorter = weight[node] + 1 + uses <= uses * weight[node] and uses > 1
        if rename_all and len(node.axes) <= 2 and (shorter or depth[node] > _DEEPEST or weight[node] > _LONGEST):
            if isinstance(node, Sum) and transposed_name(node, names):
                continue
            names[node] = _fresh(node, used)
            used.add(names[node])
    return names


def transposed_name(node: Node, names: Mapping[Node, str]) -> bool:
    """Whether the transpose of a matrix has a name."""
    return len(node.axes) == 2 and transposed(node) in names


def _references(order: Sequence[Node], roots: Sequence[Node]) -> dict[Node, int]:
    count: dict[Node, int] = {}
    for node in order:
        for child in node.children:
            if isinstance(child, Sum) and len(child.terms) == 1:
                continue
            count[child] = count.get(child, 0) + 1
    return count


def _weight(node: Node, weight: Mapping[Node, int], names: Mapping[Node, str]) -> int:
    def of(child: Node) -> int:
        return 1 if child in names else weight[child]

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


