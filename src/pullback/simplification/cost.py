"""The cost that simplification lowers: how many names, numbers and functions a form takes to write."""

from __future__ import annotations

from pullback.tensor.node import Apply, Node, Product, Sum, Variable


def cost(node: Node, known: dict[Node, int] | None = None) -> int:
    """Count what is written: one for each variable, function, number and power, shared parts each time."""
    known = {} if known is None else known
    found = known.get(node)
    if found is None:
        if isinstance(node, Variable):
            found = 1
        elif isinstance(node, Apply):
            found = 1 + sum(cost(argument, known) for argument in node.arguments)
        elif isinstance(node, Sum):
            found = sum(cost(n, known) + (c not in (1, -1)) for c, n in node.terms) or 1
        else:
            assert isinstance(node, Product)
            found = sum(cost(f.node, known) + (f.exponent not in (1, -1)) for f in node.factors)
            used = {i for f in node.factors for i in f.indices}
            found += sum(1 for i in set(node.output) if i not in used) + (len(set(node.output)) < len(node.output))
            found = max(found, 1)
        known[node] = found
    return found
