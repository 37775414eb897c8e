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
    Exercise("y = W x + b", "x", "linear", batch="B"),
    Exercise("y = c .* (x - m) + b", "c", "entrywise", batch="B"),
    Exercise("s = sigmoid(a); y = s .* b", "a", "entrywise"),
    Exercise("z = W x + b; h = relu(z)", "W", "activation", batch="B"),
    Exercise("h = x .* sigmoid(x)", "x", "activation"),
    Exercise("x' A y", "A", "quadratic"),
    Exercise("norm(A x - b)^2 + c norm(x)^2", "x", "quadratic", {"c": ()}),
    Exercise("r = x - t; L = sum(r.^2) / size(n)", "x", "loss", {"x": ("n",)}),
    Exercise("z = W x; L = cross_entropy(z, t)", "W", "loss"),
    Exercise("p = sigmoid(w' x); L = -(t log(p) + (1 - t) log(1 - p))", "w", "loss", {"t": ()}),
    Exercise("p = softmax(z); L = -t' log(p)", "z", "softmax"),
    Exercise("P = softmax(Q K', rows); Y = P V", "V", "softmax"),
    Exercise("P = softmax(Q K', rows); Y = P V", "Q", "softmax"),
    Exercise("c = x - sum(x) / size(n) ones(n); y = c / norm(c)", "x", "paths", {"x": ("n",)}),
    Exercise("h = tanh(W x); y = U h + V x", "x", "paths"),
    Exercise("tr(X' A X)", "X", "matrices"),
    Exercise("norm(X Y - M)^2", "X", "matrices"),
    Exercise("y = inv(A) b", "A", "matrices"),
)
TOPICS = tuple(dict.fromkeys(exercise.topic for exercise in EXERCISES))
GENERATED = "generated"
_ACTIVATIONS = ("relu", "sigmoid", "tanh", "softplus", "exp")
_AFTER: tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...] = (
    ("", {}),
    ("y = V h", {"V": ("k", "m")}),
    ("y = c .* h", {"c": ("m",)}),
    ("y = x + V h", {"V": ("n", "m")}),
    ("p = softmax(h)", {}),
    ("y = h / norm(h)", {}),
    ("s = V h + c; L = mse(s, t)", {"V": ("k", "m"), "c": ("k",)}),
    ("s = V h; L = cross_entropy(s, t)", {"V": ("k", "m")}),
    ("L = norm(h - t)^2", {}),
    ("f = sigmoid(V x); y = f .* h", {"V": ("m", "n")}),
)
"""What may follow a layer, and what it brings along."""


def generated(rng: Any) -> Exercise:
    """Put a layer together: an affine map, a nonlinearity, and what may follow one."""
    first = _ACTIVATIONS[int(rng.integers(len(_ACTIVATIONS)))]
    after, more = _AFTER[int(rng.integers(len(_AFTER)))]
    lines = ["z = W x + b", f"h = {first}(z)", *([after] if after else [])]
    shapes: dict[str, tuple[int | str, ...]] = {"W": ("m", "n"), "x": ("n",), "b": ("m",), **more}
    variables = [name for name in shapes if name in "WxbVc"]
    return Exercise("; ".join(lines), variables[int(rng.integers(len(variables)))], GENERATED, shapes)


def chosen(topic: str | None = None) -> Sequence[Exercise]:
    """The exercises of a topic; all of them without one.

    Raises:
        PullbackError: There is no such topic.
    """
    if topic is None:
        return sorted(EXERCISES, key=lambda exercise: TOPICS.index(exercise.topic))
    if topic not in TOPICS:
        raise PullbackError(f"there is no topic {topic!r}", hint=f"the topics are: {', '.join(TOPICS)}, {GENERATED}")
    return [exercise for exercise in EXERCISES if exercise.topic == topic]


def of_program(program: str, names: Sequence[str] = (), **options: Any) -> Sequence[Exercise]:
    """A program of one's own: an exercise for each variable asked for, or for every input.

    Raises:
        PullbackError: The program can't be read, or has no such variable.
    """
    read = Exercise(program, "", "own", **options).read()
    asked = [read.input(name).name for name in names] or [entry.name for entry in read.inputs.values()]
    return [Exercise(program, name, "own", **options) for name in asked]
