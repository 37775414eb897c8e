"""Exercises: a layer and one of its variables, from a list or put together at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.deriving import as_program
from pullback.errors import PullbackError
from pullback.lowering.program import Program


@dataclass(frozen=True)
class Exercise:
    """Derive the gradient of one variable of a layer; ``topic`` is what it teaches."""

    program: str
    variable: str
    topic: str
    shapes: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    batch: str | None = None

    def read(self) -> Program:
        """The program with its shapes."""
        return as_program(self.program, dict(self.shapes) or None, None, self.batch)


EXERCISES: tuple[Exercise, ...] = (
    Exercise("y = W x", "x", "linear"),
    Exercise("y = W x", "W", "linear"),
    Exercise("y = W x + b", "b", "linear", batch="B"),
    Exercise("y = W x + b", "W", "linear", batch="B"),
    Exercise("y = a .* b", "a", "entrywise"),
    Exercise("h = relu(x)", "x", "activation"),
    Exercise("z = W x; h = sigmoid(z)", "W", "activation"),
    Exercise("h = tanh(W x + b)", "b", "activation"),
    Exercise("norm(A x - b)^2", "x", "quadratic"),
    Exercise("x' A x", "x", "quadratic"),
    Exercise("mse(W x, t)", "W", "loss"),
    Exercise("p = softmax(x)", "x", "softmax"),
    Exercise("cross_entropy(z, t)", "z", "softmax"),
    Exercise("h = relu(W x); y = x + V h", "x", "paths"),
    Exercise("Y = X X'", "X", "paths"),
    Exercise("r = norm(x); y = x / r", "x", "paths"),
    Exercise("tr(A X B)", "X", "matrices"),
    Exercise("logdet(A)", "A", "matrices"),
    Exercise("y = inv(A) b", "b", "matrices"),
)
_ACTIVATIONS = ("relu", "sigmoid", "tanh", "softplus", "exp")


def generated(rng: Any) -> Exercise:
    """Put a layer together: an affine map, a nonlinearity, sometimes a gate, a residual or a second map."""
    first = _ACTIVATIONS[int(rng.integers(len(_ACTIVATIONS)))]
    lines = ["z = W x + b", f"h = {first}(z)"]
    kind = int(rng.integers(4))
    if kind == 1:
        lines.append("y = V h")
    elif kind == 2:
        lines.append("y = c .* h")
    elif kind == 3:
        lines.append("y = x + V h")
    shapes: dict[str, tuple[int | str, ...]] = {"W": ("m", "n"), "x": ("n",)}
    variables = ["W", "x", "b", *(["V"] if kind in (1, 3) else ["c"] if kind == 2 else [])]
    return Exercise("; ".join(lines), variables[int(rng.integers(len(variables)))], "generated", shapes)


def chosen(topic: str | None = None) -> Sequence[Exercise]:
    """The exercises of a topic; all of them without one.

    Raises:
        PullbackError: There is no such topic.
    """
    topics = list(dict.fromkeys(exercise.topic for exercise in EXERCISES))
    if topic is None:
        return EXERCISES
    if topic not in topics:
        raise PullbackError(f"there is no topic {topic!r}", hint=f"the topics are: {', '.join(topics)}, generated")
    return [exercise for exercise in EXERCISES if exercise.topic == topic]
