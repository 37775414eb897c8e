"""What a plan is made of: steps over slots, every shape a number.

A slot is an array that one step writes. A step is a kernel (``dot``, ``map``, ``reduce``, ...) or a view
of another slot (``permute``, ``shape``, ...), which costs nothing. Plans are data: the backends run them and
the emitters print them, and neither knows anything of tensor graphs.

| kind | inputs | detail |
|---|---|---|
| ``input`` | | the variable's name |
| ``constant`` | | the number; the shape is () |
| ``full`` | | the number, repeated over the shape |
| ``permute`` | x | for each axis of the result, the axis of x |
| ``shape`` | x | the new shape; only axes of length one come, go or merge with others |
| ``expand`` | x | the new shape, to which x is broadcast |
| ``diagonal`` | x | a label for each axis of x; the result has each label once, in order |
| ``part`` | x | start and stop on the last axis |
| ``map`` | one to three | the name of an entrywise function; inputs are broadcast |
| ``reduce`` | x | ``add`` or ``maximum``, then the axes that go; they stay with length one after ``keep`` |
| ``dot`` | a, b | sum over the last axis of a and the first of b; both have one or two axes |
| ``matmul`` | a, b | the same of (b, m, k) and (b, k, n), batch by batch |
| ``contract`` | a, b | labels of a, of b and of the result, where no BLAS routine does it |
| ``solve`` | A, b | A^-1 b; see ``factoring`` for what some backends make of it |
| ``embed`` | x | labels of the result, of which some repeat; labels of x; zero off the diagonal |
| ``pad`` | x | start and length of the last axis, zero around x |
| ``apply`` | any | an operation of the table on trailing axes, with dimension numbers if it has any |
| ``update`` | p, d | p := p + d, in place, where p is an input |
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

Extent = tuple[int, ...]

VIEWS = frozenset({"permute", "shape", "expand", "diagonal", "part"})
"""Steps that only look at a slot in another way."""

LEAVES = frozenset({"input", "constant", "full"})
"""Steps that compute nothing."""

UPDATES = frozenset({"update"})
"""Steps that write an input in place."""


class Step(NamedTuple):
    """One kernel or view: what it is, the slots it reads, the one it writes, and the details of its kind."""

    kind: str
    inputs: tuple[int, ...]
    detail: tuple[Any, ...]
    output: int


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a plan: its slot and the shape in which it is handed out."""

    slot: int
    shape: Extent


@dataclass(frozen=True, slots=True)
class Plan:
    """A straight program for fixed shapes.

    ``inputs`` maps names to the slots and shapes of the arrays that come in; ``shapes[k]`` belongs to slot k.
    """

    inputs: dict[str, tuple[int, Extent]]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]
    shapes: tuple[Extent, ...]

    @property
    def kernels(self) -> tuple[Step, ...]:
        """The steps that compute."""
        return tuple(s for s in self.steps if s.kind not in VIEWS and s.kind not in LEAVES)

    def flops(self) -> float:
        """Floating point operations of a run, an entrywise function counted as one each."""
        return sum(flops(step, self.shapes) for step in self.kernels)

    def describe(self) -> str:
        """List the kernels with their shapes, one on a line."""
        lines = []
        for step in self.steps:
            if step.kind in LEAVES:
                continue
            shown = ", ".join(f"%{i} {_say(self.shapes[i])}" for i in step.inputs)
            detail = " ".join(map(str, step.detail))
            lines.append(f"%{step.output} {_say(self.shapes[step.output])} = {step.kind} {detail} ({shown})")
        return "\n".join(lines)


def _say(shape: Extent) -> str:
    return "x".join(map(str, shape)) or "scalar"


def flops(step: Step, shapes: tuple[Extent, ...]) -> float:
    """Floating point operations of one step."""
    size = prod(shapes[step.output])
    if step.kind in ("dot", "matmul"):
        return 2.0 * size * shapes[step.inputs[0]][-1]
    if step.kind == "contract":
        lengths: dict[int, int] = {}
        for slot, labels in zip(step.inputs, step.detail, strict=False):
            lengths.update(zip(labels, shapes[slot], strict=True))
        return 2.0 * prod(lengths.values())
    if step.kind == "factor":
        return 2 / 3 * shapes[step.output][1] ** 3
    if step.kind in ("factored solve", "factored inv"):
        return 2.0 * size * shapes[step.inputs[0]][1]
    if step.kind == "solve":
        n = shapes[step.inputs[0]][-1]
        return 2 / 3 * n**3 + 2.0 * n * size
    if step.kind == "reduce":
        return float(prod(shapes[step.inputs[0]]))
    if step.kind == "apply":
        return float(sum(prod(shapes[i]) * (shapes[i][-1] if shapes[i] else 1) for i in step.inputs))
    return float(size) if step.kind in ("map", "update") else 0.0


def bases(steps: tuple[Step, ...]) -> dict[int, int]:
    """For every slot, the slot whose memory it looks at: itself where it is no view."""
    base: dict[int, int] = {}
    for step in steps:
        if step.kind in VIEWS or step.kind in UPDATES:
            base[step.output] = base[step.inputs[0]]
        else:
            base[step.output] = step.output
    return base
