"""Spelling each kind of node: what a tensor is called in the notation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.dimension import ONE, Dimension
from pullback.lifting.alphabet import Natural, natural
from pullback.lifting.chain import (
    Operand,
    entrywise,
    number,
    operand,
    raised,
    read,
    settle_minus,
    shorter,
    signed,
    text,
    transpose,
    turn,
    weight,
)
from pullback.lifting.entries import spell_entries
from pullback.lifting.reduction import Edge, Network
from pullback.lifting.signs import absorb_sign, reading
from pullback.lifting.sizes import as_means, length, size
from pullback.lifting.sums import spell_sum
from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose
from pullback.tensor.add import scaled
from pullback.tensor.node import Apply, Factor, Node, Product, Rational, Sum, Variable
from pullback.tensor.product import constant_axes, is_symmetric, size_name, transposed, without_axes
from pullback.tensor.reshape import Linear

Shape = tuple[Dimension, ...]
_MOST_REPEATED = 9
_NAMES = {"max2": "max", "min2": "min"}


@dataclass(slots=True)
class Speller:
    """Spells nodes.

    ``shapes`` are the declared shapes of the inputs, ``names`` the nodes that have a name of their own,
    ``spelling`` how a variable's name is written, ``precedence`` the names to put first in Hadamard
    products, ``order`` which of two axes comes first where both would do. Every tree stands for the tensor as
    a scalar, a column or a matrix.
    """

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    names: Mapping[Node, str] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)
    precedence: Mapping[str, int] = field(default_factory=dict)
    done: dict[Node, Syntax] = field(default_factory=dict)
    named_sums: list[Sum] = field(default_factory=list)
    present: frozenset[str] = frozenset()
    order: Mapping[Dimension, int] = field(default_factory=dict)
    flipped: set[Node] = field(default_factory=set)

    def spell(self, node: Node) -> Syntax:
        """Spell a node, by its name if it has one."""
        return self.by_name(node) or self.spell_out(node)

    def by_name(self, node: Node) -> Syntax | None:
        """Spell a node by its name, or that of its negative; a name may stand for the transpose."""
        for sign in (1, -1):
            part = node if sign == 1 else scaled(-1, node) if isinstance(node, Sum) else None
            name = self.names.get(part) if part is not None else None
            if name is not None and part is not None:
                tree: Syntax = Transpose(Name(name)) if part in self.flipped else Name(name)
                return tree if sign == 1 else Negate(tree)
        return None

    def spell_row(self, node: Node) -> Syntax:
        """Spell a tensor of one axis as a row."""
        if node in self.names:
            return transpose(Name(self.names[node]))
        if isinstance(node, Product):
            return settle_minus(self.term(1, node, row=True))
        if isinstance(node, Sum) and node.terms:
            return spell_sum(self, node, row=True)
        return transpose(self.spell(node))

    def spell_out(self, node: Node) -> Syntax:
        """Spell a node in terms of what it is made of."""
        found = self.done.get(node)
        if found is None:
            if isinstance(node, Variable):
                found = self.variable(node)
            elif isinstance(node, Sum):
                found = spell_sum(self, node)
            elif isinstance(node, Apply):
                found = self.applied(node)
            else:
                assert isinstance(node, Product)
                found = self.product(node)
            found = settle_minus(found)
            self.done[node] = found
        return found

    def variable(self, node: Variable) -> Syntax:
        name = Name(self.spelling.get(node.name, node.name))
        shape = self.shapes.get(node.name, node.axes)
        is_row = len(shape) == 2 and shape[0] is ONE and shape[1] is not ONE
        return Transpose(name) if is_row else name

    def as_operand(self, node: Node) -> Operand:
        """Spell a tensor of two axes in both directions, each the shorter way."""
        tree = self.spell(node)
        if is_symmetric(node):
            return Operand(tree, tree)
        turned = None if self.by_name(node) is not None else self.turned(node)
        if isinstance(tree, Call) and tree.function == "kron":
            turned = Call("kron", tuple(transpose(argument) for argument in tree.arguments))
        if turned is None:
            return operand(tree)
        return Operand(self.better(node, tree, transpose(turned)), self.better(node, transpose(tree), turned))

    def better(self, node: Node, upright: Syntax, turned: Syntax) -> Syntax:
        """Of two spellings, one with the node's axes in their order inside, the other with them turned."""
        first, second = (self.order.get(axis, 0) for axis in node.axes)
        if first == second:
            first, second = (self.leads(tree) for tree in (upright, turned))
        favoured = upright if first < second else turned if second < first else None
        return shorter(upright, turned, favoured)

    def leads(self, tree: Syntax) -> int:
        """Zero where the upstream gradient comes first in a tree."""
        match tree:
            case Name(identifier):
                return self.precedence.get(identifier, 1)
            case Negate(inner) | Transpose(inner):
                return self.leads(inner)
            case Chain(parts) | Call(_, parts) if parts:
                return self.leads(parts[0])
        return 1

    def turned(self, node: Node) -> Syntax | None:
        """Spell the transpose with the transpose inside; None where it can't go inside."""
        if isinstance(node, Apply):
            if isinstance(node.operation, Linear):
                tree = self.spell_out(node)
                return tree.operand if isinstance(tree, Transpose) else None
            if not self.turns(node):
                return None
            if node.operation.transposing:
                side = self.as_operand(node.arguments[0])
                shortens = weight(side.turned) < weight(side.tree)
                return Call(node.operation.name, (side.turned,)) if shortens else None
            name = _NAMES.get(node.operation.name, node.operation.name)
            arguments = [self.as_operand(a).turned if len(a.axes) == 2 else self.spell(a) for a in self.shrunk(node)]
            if name == "power":
                return Power(arguments[0], arguments[1], entrywise=True)
            return Call(name, tuple(arguments))
        return self.spell_out(transposed(node)) if isinstance(node, Sum | Product) else None

    @staticmethod
    def turns(node: Apply) -> bool:
        """Whether the transpose of an applied operation is the operation applied to the transpose."""
        return len(node.axes) == 2 and (node.operation.entrywise or (node.operation.transposing and not node.batch))

    # products

    def product(self, node: Product) -> Syntax:
        """Spell a product without a coefficient."""
        return self.term_of_product(1, node)

    def term(self, coefficient: Rational, node: Node, row: bool = False, alone: bool = True) -> Syntax:
        """Spell a number times a node, as a row if asked; a minus is Negate at the top."""
        if isinstance(node, Product) and node not in self.names:
            return self.term_of_product(coefficient, node, row, alone)
        sign, tree = signed(self.spell_row(node) if row else self.spell(node))
        return self.assemble(coefficient * sign, [], tree)

    def term_of_product(self, coefficient: Rational, node: Product, row: bool = False, alone: bool = True) -> Syntax:
        if not node.factors and not node.dimensions:
            return number(coefficient)
        if (name := size_name(node)) is not None:
            return self.assemble(coefficient, [(size(self, name), 1)], None)
        coefficient, factors = absorb_sign(self, coefficient, node.factors, alone)
        network = self.network(node, factors)
        network.reduce()
        network.close_scalars()
        if network.is_left_over():
            if (whole := network.single(node.output)) is not None:
                return self.assemble(coefficient, network.scalars, whole)
            return spell_entries(self, coefficient, node, network)
        core = self.core(network, row)
        scalars, core = as_means(self, factors, network, core)
        return self.assemble(coefficient, scalars, core)

    def network(self, node: Product, factors: Sequence[Factor]) -> Network:
        network = Network(node.output, dict(enumerate(node.dimensions)), self.precedence)
        for factor in factors:
            self.place(network, factor)
        return network

    def place(self, network: Network, factor: Factor) -> None:
        """Put a factor where its indices are."""
        node, indices, exponent = factor
        if not indices:
            network.scalars.append(self.scalar(node, exponent))
        elif len(indices) == 1:
            network.label(indices[0], (operand(self.spell(node)),), exponent)
        elif len(indices) > 2:
            network.wide.append((self.spell(node), indices, exponent))
        elif indices[0] != indices[1]:
            network.edges.append(Edge(indices[0], indices[1], (self.edge(node, exponent),)))
        elif _is_declared_diagonal(node):
            if exponent in range(1, _MOST_REPEATED):
                here = self.as_operand(node)
                network.diagonals.setdefault(indices[0], []).extend([here] * int(exponent))
            else:
                network.label(indices[0], (operand(Call("diag", (self.spell(node),))),), exponent)
        elif indices[0] not in network.output and exponent == 1:
            network.edges.append(Edge(indices[0], indices[1], (self.as_operand(node),)))
        else:
            network.label(indices[0], (operand(Call("diag", (self.spell(node),))),), exponent)

    def edge(self, node: Node, exponent: Rational) -> Operand:
        here = self.as_operand(node)
        if exponent == 1:
            return here
        if exponent < 0:
            return Operand(entrywise([(here.tree, exponent)]), entrywise([(here.turned, exponent)]))
        return Operand(raised(here.tree, exponent, True), raised(here.turned, exponent, True))

    def scalar(self, node: Node, exponent: Rational) -> tuple[Syntax, Rational]:
        """Spell a scalar factor; the root of a sum of squares is a norm."""
        if isinstance(node, Product) and node not in self.names and (square := self.square(node)) is not None:
            tree, power = square
            return tree, power * exponent
        return self.spell(node), exponent

    def square(self, node: Product) -> tuple[Syntax, Rational] | None:
        """Read a sum of squares as the norm of a vector or matrix, with its power 2."""
        if node.output or not node.factors or any(f.exponent % 2 for f in node.factors):
            return None
        if len(node.factors) == 1 and len(node.factors[0].indices) == 2:
            (factor,) = node.factors
            if factor.indices[0] != factor.indices[1]:
                root = raised(self.spell(self.positive_side(factor.node)), int(factor.exponent) // 2, True)
                return Call("norm", (root,)), 2
        if all(len(f.indices) == 1 and f.indices == node.factors[0].indices for f in node.factors):
            trees = [(self.spell(self.positive_side(f.node)), int(f.exponent) // 2) for f in node.factors]
            return Call("norm", (entrywise(trees),)), 2
        return None

    def positive_side(self, node: Node) -> Node:
        """Of x and -x under a square, the one that reads better."""
        return reading(self, node)

    def core(self, network: Network, row: bool = False) -> Syntax | None:
        """Spell what carries the axes of the result; None for a scalar."""
        output, dimensions = network.output, network.lengths
        if not output:
            return None
        if len(output) == 1 or output[0] == output[1]:
            vertex = output[0]
            if len(output) == 1:
                column = network.column(vertex) or (operand(Call("ones", (length(dimensions[vertex]),))),)
                return read(turn(column) if row else column)
            matrix = network.diagonal(vertex)
            return read(matrix) if matrix else Call("eye", (length(dimensions[vertex]),))
        start, end = output
        if network.edges:
            (edge,) = network.edges
            return read((*network.diagonal(start), *edge.seen_from(start), *network.diagonal(end)))
        left, right = network.column(start), network.column(end)
        if left is None and right is None:
            return Call("ones", (length(dimensions[start]), length(dimensions[end])))
        left = left or (operand(Call("ones", (length(dimensions[start]),))),)
        right = right or (operand(Call("ones", (length(dimensions[end]),))),)
        return read((*left, *turn(right)))

    def assemble(
        self, coefficient: Rational, scalars: Sequence[tuple[Syntax, Rational]], core: Syntax | None
    ) -> Syntax:
        """Put number, scalars, core and divisors together, in that order; a minus goes on top."""
        size = -coefficient if coefficient < 0 else coefficient
        ranked = sorted(scalars, key=self.scalar_rank)
        above = self.scalar_powers([(tree, e) for tree, e in ranked if e > 0])
        below = self.scalar_powers([(tree, -e) for tree, e in ranked if e < 0])
        parts: list[Syntax] = list(above)
        if core is not None:
            parts.append(core)
        head: list[Syntax] = []
        if size != 1 and len(parts) == 1 and core is not None and _is_reciprocal(core):
            assert isinstance(core, Chain)
            top = number(size)
            opened = top.operands if isinstance(top, Chain) else (top,)
            operators = top.operators if isinstance(top, Chain) else ()
            parts = [Chain((*opened, *core.operands[1:]), (*operators, *core.operators))]
        elif size != 1 or not parts:
            head = [number(size)]
        result = self.joined([*head, *parts])
        if below:
            result = self.quotient(result, self.joined(below))
        return Negate(result) if coefficient < 0 else result

    def scalar_powers(self, scalars: Sequence[tuple[Syntax, Rational]]) -> list[Syntax]:
        """Spell powers of scalars, several square roots as one."""
        half = Fraction(1, 2)
        roots = [tree for tree, e in scalars if e == half and _is_positive_number(tree)]
        if len(roots) < 2:
            return [self.scalar_power(tree, e) for tree, e in scalars]
        rest = [self.scalar_power(tree, e) for tree, e in scalars if e != half or tree not in roots]
        return [*rest, Call("sqrt", (self.joined(roots),))]

    def joined(self, trees: list[Syntax]) -> Syntax:
        """Multiply by juxtaposition; a chain at the end is opened where the meaning stays."""
        operands: list[Syntax] = []
        operators: list[str] = []
        for k, tree in enumerate(trees):
            spread = isinstance(tree, Chain) and not tree.is_sum and (k == 0 or set(tree.operators) <= {"*", ".*"})
            if spread and isinstance(tree, Chain) and self.opens(tree, k):
                if operands:
                    operators.append("*")
                operands += tree.operands
                operators += tree.operators
            else:
                if operands:
                    operators.append("*")
                operands.append(tree)
        return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators))

    @staticmethod
    def opens(tree: Chain, position: int) -> bool:
        """Whether c (A B) may be written c A B: yes, scalars commute with every product."""
        return position == 0 or all(operator in ("*", ".*", "./") for operator in tree.operators)

    @staticmethod
    def quotient(tree: Syntax, divisor: Syntax) -> Syntax:
        if isinstance(tree, Chain) and not tree.is_sum:
            return Chain((*tree.operands, divisor), (*tree.operators, "/"))
        return Chain((tree, divisor), ("/",))

    def scalar_power(self, tree: Syntax, exponent: Rational) -> Syntax:
        """Spell the power of a scalar; x' x for the squared norm of a plain vector."""
        if exponent == 2 and isinstance(tree, Call) and tree.function == "norm":
            (inner,) = tree.arguments
            if isinstance(inner, Name) and self.is_vector(inner.identifier):
                return Chain((transpose(inner), inner), ("*",))
        return raised(tree, exponent, entrywise=False)

    def is_vector(self, name: str) -> bool:
        for key, shape in self.shapes.items():
            if self.spelling.get(key, key) == name:
                return len(shape) == 1
        for node, given in self.names.items():
            if given == name:
                return len(node.axes) == 1
        return False

    def scalar_rank(self, scalar: tuple[Syntax, Rational]) -> tuple[int, int, Natural]:
        """Plain names first, longer scalars after them."""
        tree, _ = scalar
        plain = isinstance(tree, Name)
        order = self.precedence.get(tree.identifier, 1) if isinstance(tree, Name) else 1
        return (1 - plain + order, weight(tree), natural(text(tree)))

    # applied operations

    def applied(self, node: Apply) -> Syntax:
        better = reading(self, node)
        if better is not node:
            return Negate(self.spell(better))
        tree = self.called(node)
        turned = self.turned(node) if self.turns(node) and not is_symmetric(node) else None
        return tree if turned is None else self.better(node, tree, transpose(turned))

    def called(self, node: Apply) -> Syntax:
        """Spell an operation with its arguments as they are."""
        operation = node.operation
        name = _NAMES.get(operation.name, operation.name)
        if isinstance(operation, Linear):
            from pullback.lifting.linear import spell_linear

            return spell_linear(self, node, operation)
        if operation.name == "power":
            base, exponent = (self.spell(argument) for argument in self.shrunk(node))
            return Power(base, exponent, entrywise=bool(node.axes))
        if operation.entrywise or node.batch == 0:
            arguments = self.shrunk(node) if operation.entrywise else list(node.arguments)
            if operation.parity == 1:
                arguments = [reading(self, argument) for argument in arguments]
            if operation.invariant:
                sides = [self.as_operand(argument) for argument in arguments]
                return Call(name, tuple(shorter(side.tree, side.turned) for side in sides))
            return Call(name, tuple(self.spell(argument) for argument in arguments))
        cores = [len(core) for core in operation.signature.inputs]
        if node.batch == 1 and cores == [1] and len(operation.signature.output) < 2:
            return self.by_rows(name, node)
        from pullback.lifting.entries import spell_lifted

        return spell_lifted(self, node, node.arguments, lambda arguments: Call(name, tuple(arguments)))

    def shrunk(self, node: Apply) -> list[Node]:
        """Arguments of an entrywise operation, those that are one number repeated as that number."""
        whole = frozenset(range(len(node.axes)))
        flat = [constant_axes(argument) == whole for argument in node.arguments]
        if all(flat) or not whole:
            return list(node.arguments)
        return [without_axes(a, whole) if f else a for a, f in zip(node.arguments, flat, strict=True)]

    def by_rows(self, name: str, node: Apply) -> Syntax:
        (argument,) = node.arguments
        here = self.as_operand(argument)
        if weight(here.turned) < weight(here.tree):
            tree: Syntax = Call(name, (here.turned, Name("columns")))
            return transpose(tree) if node.operation.signature.output else tree
        return Call(name, (here.tree, Name("rows")))


def _is_declared_diagonal(node: Node) -> bool:
    return isinstance(node, Variable) and "diagonal" in node.properties


def _is_positive_number(tree: Syntax) -> bool:
    return isinstance(tree, Number) or (isinstance(tree, Call) and tree.function == "pi")


def _is_reciprocal(tree: Syntax) -> bool:
    """Whether a tree is one over something: 1 ./ x."""
    return isinstance(tree, Chain) and tree.operands[0] == Number(Fraction(1)) and set(tree.operators) == {"./"}
