"""What must hold for every program; each check raises ``AssertionError`` where it does not.

``UnfitError`` (from the reference) means that the point drawn is no place to compare at, ``pb.UnsupportedError``
that the engine refuses by name what it is allowed to refuse.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import pullback as pb
from pullback.expression import Expression
from pullback.tensor.node import topological
from tests.engine.arrays import Array, UnfitError
from tests.engine.reference import Monitor, Reference
from tests.strategies import Made

STEP = 1e-30
LENIENT = os.environ.get("LENIENT") == "1"
UPSTREAM = "g"
CLOSE = 1e-8
STEPS = (1e-2, 5e-3, 2.5e-3)
CLOSE_SECOND = 1e-8
SETTLED = 1e-6
"""How far the last two estimates of a second derivative may be apart; their errors are of fourth and sixth order."""


@dataclass
class Case:
    """A program at a point."""

    made: Made

    @cached_property
    def program(self) -> Any:
        return pb.parse(self.made.text, shapes=self.made.declared, assume=self.made.assume)

    @cached_property
    def output(self) -> Expression:
        statement = self.program.output
        return Expression(statement.node, statement.shape, self.program)

    @cached_property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.made.seed)

    @cached_property
    def values(self) -> dict[str, Array]:
        return {name: self.draw(name) for name in sorted(self.made.shapes)}

    def draw(self, name: str) -> Array:
        shape = tuple(self.made.length(dim) for dim in self.made.shapes[name])
        plain = self.rng.normal(size=shape) * 0.8
        word = self.made.assume.get(name)
        n = shape[0] if shape else 0
        match word:
            case "positive":
                return np.asarray(0.5 + np.abs(plain))
            case "spd":
                return np.asarray(plain @ plain.T + np.eye(n))
            case "invertible":
                return np.asarray(plain + 3 * np.eye(n))
            case "lower":
                return np.tril(plain) + 3 * np.eye(n)
            case "upper":
                return np.triu(plain) + 3 * np.eye(n)
            case "diagonal":
                return np.diag(1 + np.abs(np.diag(plain)))
            case "orthogonal":
                return np.asarray(np.linalg.qr(plain)[0])
            case "symmetric":
                return np.asarray(plain + plain.T + 5 * np.eye(n))
        return np.asarray(plain)

    @property
    def sizes(self) -> dict[str, int]:
        return self.made.sizes

    def evaluate(self, expression: Expression, values: Mapping[str, Array] | None = None) -> Array:
        """Compute a result of the engine, given the lengths of the dimensions that it has beside those of inputs."""
        axes = {
            axis for node in topological([expression.node]) for axis in (*node.axes, *getattr(node, "dimensions", ()))
        }
        names = {name for axis in (*axes, *expression.axes) for name in axis.names}
        lengths = {name: size for name, size in self.sizes.items() if name in names}
        return expression.evaluate({**(self.values if values is None else values), **lengths})

    def reference(self, values: Mapping[str, Array]) -> Array:
        return Reference(self.sizes, Monitor()).program(self.made.bindings, values)

    @cached_property
    def exact(self) -> Array:
        return self.reference(self.values)

    def directions(self, name: str) -> Array:
        direction = self.rng.normal(size=self.values[name].shape)
        if LENIENT and self.made.assume.get(name) in ("symmetric", "spd", "diagonal"):
            direction = direction + direction.T
        return direction

    def slope(self, name: str, direction: Array, values: Mapping[str, Array] | None = None) -> Array:
        """The derivative of the output along a direction, by a complex step."""
        values = self.values if values is None else values
        moved = {**values, name: values[name] + 1j * STEP * direction}
        return np.imag(self.reference(moved)) / STEP

    def scale(self, *arrays: Array) -> float:
        return max(1.0, *(float(np.max(np.abs(a), initial=0.0)) for a in arrays))


def close(found: Array, wanted: Array, tolerance: float, what: str) -> None:
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.size == wanted.size, f"{what}: {found.shape} against {wanted.shape}"
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    error = float(np.max(np.abs(found.reshape(-1) - wanted.reshape(-1)), initial=0.0)) / scale
    assert error <= tolerance, f"{what}: differs by {error:.2g}\n  found  {found.tolist()}\n  wanted {wanted.tolist()}"


def check_value(case: Case) -> None:
    """The lowered program computes what the reference does."""
    wanted = case.exact
    found = case.evaluate(case.output)
    close(found, wanted, CLOSE, "value")


def derivatives(case: Case) -> dict[str, Expression]:
    """All first derivatives, by input."""
    if not case.program.inputs:
        return {}
    if all(axis.number == 1 for axis in case.program.output.shape):
        return dict(pb.gradient(case.program).items())
    return dict(pb.backward(case.program, upstream=UPSTREAM).items())


def check_first(case: Case) -> None:
    """Gradients and backward passes are right."""
    exact = case.exact
    found = derivatives(case)
    upstream = np.ones(exact.shape) if exact.size == 1 else case.rng.normal(size=exact.shape)
    for name, expression in found.items():
        values = dict(case.values)
        if UPSTREAM in expression.inputs:
            values[UPSTREAM] = upstream.reshape([d.evaluate(case.sizes) for d in expression.inputs[UPSTREAM].shape])
        compare_pulled(case, case.evaluate(expression, values), name, upstream, f"dL/d{name} = {expression}")


def compare_pulled(case: Case, found: Array, name: str, upstream: Array, what: str) -> None:
    """Compare a gradient, or a cotangent pulled back, with complex steps along random directions."""
    assert found.shape == case.values[name].shape, f"{what}: it has shape {found.shape}"
    for _ in range(2):
        direction = case.directions(name)
        wanted = np.sum(upstream.reshape(-1) * case.slope(name, direction).reshape(-1))
        scale = case.scale(upstream, found)
        close(np.sum(found * direction) / scale, wanted / scale, CLOSE, what)


def check_jacobian(case: Case) -> None:
    """Jacobians by each input are right."""
    exact = case.exact
    for name in case.made.shapes:
        if case.values[name].size * exact.size > 400:
            continue
        expression = pb.jacobian(case.program, name)
        compare_along(case, case.evaluate(expression), name, f"d/d{name} = {expression}")


def compare_along(case: Case, found: Array, name: str, what: str) -> None:
    """Compare a Jacobian with a complex step along a random direction."""
    direction = case.directions(name)
    along = np.tensordot(found, direction, axes=direction.ndim)
    scale = case.scale(found)
    close(along / scale, case.slope(name, direction) / scale, CLOSE, what)


def check_hessian(case: Case, pairs: int = 2) -> None:
    """Second derivatives of a scalar are right, mixed ones too."""
    _ = case.exact
    names = list(case.made.shapes)
    for k in range(min(pairs, len(names) * len(names))):
        first = names[k % len(names)]
        second = names[int(case.rng.integers(len(names)))]
        size = case.values[first].size * case.values[second].size
        if size > 500:
            continue
        expression = pb.hessian(case.program, first if first == second else (first, second))
        what = f"d2/d{first} d{second} = {expression}"
        compare_second(case, case.evaluate(expression), first, second, what)


def compare_second(case: Case, found: Array, first: str, second: str, what: str) -> None:
    """Compare a Hessian along two random directions."""
    u, v = case.directions(first), case.directions(second)
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    along = np.tensordot(np.tensordot(found, v, axes=v.ndim), u, axes=u.ndim)
    scale = case.scale(found)
    close(along / scale, _along(case, first, u, second, v) / scale, CLOSE_SECOND, what)


def _along(case: Case, first: str, u: Array, second: str, v: Array) -> Array:
    """d2/dudv: a complex step along u, differences along v extrapolated twice."""

    def difference(h: float) -> Array:
        above = {**case.values, second: case.values[second] + h * v}
        below = {**case.values, second: case.values[second] - h * v}
        return (case.slope(first, u, above) - case.slope(first, u, below)) / (2 * h)

    a, b, c = (difference(h) for h in STEPS)
    ab, bc = (4 * b - a) / 3, (4 * c - b) / 3
    found = np.asarray((16 * bc - ab) / 15)
    if np.max(np.abs(found - bc)) > SETTLED * case.scale(found):
        raise UnfitError("differences of steps do not settle")
    return found


def reread(expression: Expression, text: str) -> Any:
    """Parse printed text in the shapes of the expression's inputs."""
    shapes = {entry.name: entry.shape for entry in expression.inputs.values()}
    assume = {entry.name: sorted(entry.properties) for entry in expression.inputs.values()}
    return pb.parse(text, shapes=shapes, assume=assume)


STYLES: dict[str, Callable[[Expression], str]] = {
    "plain": str,
    "unicode": lambda e: e.unicode(),
    "latex": lambda e: e.latex(),
}


def check_round_trip(expression: Expression, styles: Sequence[str] = tuple(STYLES), case: Case | None = None) -> None:
    """Printed text lowers to the same object; or, where a case is given, at least to the same numbers."""
    for style in styles:
        text = STYLES[style](expression)
        try:
            again = reread(expression, text)
        except pb.PullbackError as error:
            raise AssertionError(f"{style} text can't be read: {error}\n{text}") from None
        node = again.output.node
        if node is not expression.node and not (case and _same_numbers(case, expression, again)):
            shown = Expression(node, again.output.shape, again)
            raise AssertionError(f"{style} text reads as another tensor:\n  {text}\n  {shown}")


def _same_numbers(case: Case, expression: Expression, again: Any) -> bool:
    """Whether what was read back has the values of what was printed: two objects may say one tensor."""
    values = {name: value for name, value in case.values.items() if name in expression.inputs}
    for name, entry in expression.inputs.items():
        if name not in values:
            values[name] = case.rng.normal(size=tuple(axis.evaluate(case.sizes) for axis in entry.shape))
    read = Expression(again.output.node, again.output.shape, again)
    found, wanted = (
        case.evaluate(each, {name: values[name] for name in each.inputs if name in values})
        for each in (read, expression)
    )
    return bool(np.allclose(found.reshape(-1), wanted.reshape(-1), rtol=1e-9, atol=1e-9, equal_nan=True))


def check_printing(case: Case) -> None:
    """Everything prints and reads back."""
    expressions = [case.output, *derivatives(case).values()]
    for expression in expressions:
        assert expression.mathml()
        check_round_trip(expression, case=case)
