"""The nodes of the tensor graph: variables, products, sums and applied operations.

Nodes are immutable and hash-consed: equal expressions are one object, so equality is identity and a
shared subexpression is stored, derived and computed once. The classes here only hold; the functions
that bring what they hold into normal form are in ``product``, ``add`` and ``apply``, and every node is
made by them.

Axes are positions with a dimension. No axis has the literal size one: a column, a row and an m x 1
matrix of the same entries are the same tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError

Rational = int | Fraction
MOST_BITS = 2**13
"""The longest numbers that are kept exactly."""
Axes = tuple[Dimension, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Signature:
    """The core axes of an operation, as in NumPy's generalised ufuncs: ``(n,n)->(n,n)``.

    Further axes lead and are shared by all arguments and the result: an operation acts on the
    trailing core axes and is repeated over the leading ones.
    """

    inputs: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]

    @staticmethod
    def of(text: str) -> Signature:
        """Read ``(n,n),(n)->(n)``."""
        left, right = text.replace(" ", "").split("->")

        def core(group: str) -> tuple[str, ...]:
            return tuple(name for name in group.strip("()").split(",") if name)

        return Signature(tuple(core(group) for group in left.split("),(")) if left else (), core(right))


Meeting = Callable[["Apply", Rational, "Apply", Rational], "list[tuple[Node, Rational]] | None"]


@dataclass(eq=False, slots=True)
class Operation:
    """What the graph has to know of an operation that is no einsum; the table fills it in.

    ``exact`` holds values at numbers (exp at 0 is 1). ``transposing`` operations commute with the
    transpose, ``invariant`` ones do not see it; ``inverse`` cancels against its argument.
    ``positive`` results are known not to be below zero, ``idempotent`` ones are their own square.
    ``parity`` is 1 for even functions, -1 for odd ones. ``meets`` says what comes of this operation
    beside another one inside a product; ``below_one`` what 1 / (1 + f(x)) is. ``complement`` says that
    f(-x) = 1 - f(x). ``normalised`` gives f(x) over its sum along an axis, ``halves`` what f(x) and f(-x)
    add up to, ``raised`` what f(x, p) times a power of x is. The entries of a ``distribution`` add to one.
    """

    name: str
    signature: Signature
    exact: dict[Rational, Rational] = field(default_factory=dict)
    transposing: bool = False
    invariant: bool = False
    inverse: bool = False
    positive: bool = False
    distribution: bool = False
    idempotent: bool = False
    parity: int = 0
    meets: dict[str, Meeting] = field(default_factory=dict)
    below_one: Callable[[Apply], Node] | None = None
    complement: bool = False
    normalised: Callable[[Apply, int], Node] | None = None
    halves: Callable[[Apply, int], Node] | None = None
    raised: Callable[[Apply, Rational], Node] | None = None
    rewrite: Callable[[tuple[Node, ...]], Node | None] | None = None

    @property
    def entrywise(self) -> bool:
        """Whether it acts on each entry alone."""
        return not self.signature.output and not any(self.signature.inputs)

    def output(self, cores: Sequence[Axes]) -> Axes:
        """The core axes of the result for the core axes of the arguments."""
        sizes = {
            name: axis
            for names, core in zip(self.signature.inputs, cores, strict=True)
            for name, axis in zip(names, core, strict=True)
        }
        return tuple(sizes[name] for name in self.signature.output)

    def resized(self, sizes: Mapping[str, Dimension]) -> Operation:
        """The same operation with dimension names replaced; most do not depend on them."""
        return self


class Unknown(Operation):
    """A function of single numbers of which only the name is known; its derivative is f'."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, Signature(((),), ()))

    def derivative(self) -> Unknown:
        """The next derivative, by name."""
        return Unknown(f"{self.name}'")


class Factor(NamedTuple):
    """A node inside a product, where its axes go and the power to which its entries are raised."""

    node: Node
    indices: tuple[int, ...]
    exponent: Rational


class Term(NamedTuple):
    """A node inside a sum with its coefficient."""

    coefficient: Rational
    node: Node


class Node:
    """A tensor. ``axes`` are its dimensions; ``order`` sorts nodes the same way in every process."""

    __slots__ = ("__weakref__", "_constant", "_symmetric", "_transposed", "axes", "key", "size")
    axes: Axes
    key: bytes
    size: int
    _constant: frozenset[int] | None
    _symmetric: bool | None
    _transposed: Node | None

    @property
    def order(self) -> tuple[int, bytes]:
        """Small expressions first, then by content."""
        return (self.size, self.key)

    @property
    def children(self) -> Sequence[Node]:
        """The nodes that this one is made of."""
        return ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key.hex()[:6]} of {' x '.join(map(str, self.axes)) or 'scalar'}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("tensor graphs are not pickled; print and parse them")


class Variable(Node):
    """An input."""

    __slots__ = ("name", "properties")
    name: str
    properties: frozenset[str]


class Product(Node):
    """A generalised einsum: factors whose axes are tied to indices, and the indices that stay.

    An index that is in ``output`` more than once makes a delta, one in ``output`` but in no factor a
    vector of ones; an index that is not in ``output`` is summed over. ``dimensions[k]`` belongs to
    index ``k``. The product of nothing is the scalar 1.
    """

    __slots__ = ("dimensions", "factors", "output")
    factors: tuple[Factor, ...]
    output: tuple[int, ...]
    dimensions: Axes

    @property
    def children(self) -> Sequence[Node]:
        """The nodes that this one is made of."""
        return [factor.node for factor in self.factors]


class Sum(Node):
    """A linear combination of tensors with the same axes; with no terms it is zero."""

    __slots__ = ("terms",)
    terms: tuple[Term, ...]

    @property
    def children(self) -> Sequence[Node]:
        """The nodes that this one is made of."""
        return [term.node for term in self.terms]


class Apply(Node):
    """An operation applied to arguments whose leading axes agree (see ``Signature``)."""

    __slots__ = ("arguments", "operation")
    operation: Operation
    arguments: tuple[Node, ...]

    @property
    def children(self) -> Sequence[Node]:
        """The nodes that this one is made of."""
        return self.arguments

    @property
    def batch(self) -> int:
        """The number of leading axes over which the operation is repeated."""
        return len(self.axes) - len(self.operation.signature.output)


_nodes: WeakValueDictionary[bytes, Node] = WeakValueDictionary()
_lock = Lock()


Kind = TypeVar("Kind", bound=Node)


def _intern(kind: type[Kind], axes: Axes, parts: Iterable[Node], content: str, size: int) -> tuple[Kind, bool]:
    """Give the node with these parts and this content beside them, and whether it is new and wants its fields."""
    shape = ",".join(map(str, axes))
    text = f"{kind.__name__}|{shape}|{content}|".encode()
    key = blake2b(text + b"".join([part.key for part in parts]), digest_size=16).digest()
    found = _nodes.get(key)
    if found is not None:
        assert isinstance(found, kind)
        return found, False
    node = object.__new__(kind)
    node.axes, node.key, node.size = axes, key, size
    node._constant = None
    node._symmetric = None
    node._transposed = None
    return node, True


def _publish(node: Kind) -> Kind:
    """Enter a new node into the table; where another thread was faster, its node is the one."""
    with _lock:
        found = _nodes.setdefault(node.key, node)
    assert isinstance(found, type(node))
    return found


def make_variable(name: str, axes: Axes, properties: frozenset[str] = frozenset()) -> Variable:
    """Make an input tensor; the same name, axes and properties give the same object."""
    node, new = _intern(Variable, axes, (), f"{name}|{sorted(properties)}", 1)
    if not new:
        return node
    node.name, node.properties = name, properties
    return _publish(node)


def make_product(factors: tuple[Factor, ...], output: tuple[int, ...], dimensions: Axes) -> Product:
    """Store a product that is in normal form already (see ``product``)."""
    parts = [f.node for f in factors]
    size = 1 + sum([part.size for part in parts])
    axes = tuple([dimensions[i] for i in output])
    content = f"{output}|{','.join(map(str, dimensions))}|{''.join([f'{f.indices}{f.exponent}' for f in factors])}"
    node, new = _intern(Product, axes, parts, content, size)
    if not new:
        return node
    node.factors, node.output, node.dimensions = factors, output, dimensions
    return _publish(node)


def make_sum(terms: tuple[Term, ...], axes: Axes) -> Sum:
    """Store a sum that is in normal form already (see ``add``)."""
    parts = [term.node for term in terms]
    size = 1 + sum([part.size for part in parts])
    node, new = _intern(Sum, axes, parts, ",".join([str(c) for c, _ in terms]), size)
    if not new:
        return node
    node.terms = terms
    return _publish(node)


def make_apply(operation: Operation, arguments: tuple[Node, ...], axes: Axes) -> Apply:
    """Store an applied operation that is in normal form already (see ``apply``)."""
    size = 1 + sum(argument.size for argument in arguments)
    node, new = _intern(Apply, axes, arguments, operation.name, size)
    if not new:
        return node
    node.operation, node.arguments = operation, arguments
    return _publish(node)


def rational(value: Rational) -> Rational:
    """Give whole numbers as ints; refuse those of so many digits that they would fill the memory."""
    if value.numerator.bit_length() + value.denominator.bit_length() > MOST_BITS:
        hint = "call the number by a name, and give it as a value"
        raise UnsupportedError("a number on the way has thousands of digits", hint=hint)
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def approximate(value: Rational) -> float:
    """Give the nearest float; what is beyond them is infinite.

    >>> approximate(Fraction(1, 4)), approximate(-(10**400))
    (0.25, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def topological(roots: Iterable[Node]) -> Iterator[Node]:
    """Walk all nodes below the roots, children before parents, each once, without recursion."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children) if child not in seen)


def variables(roots: Iterable[Node]) -> list[Variable]:
    """List the variables below the roots in the order in which they are met."""
    return [node for node in topological(roots) if isinstance(node, Variable)]
