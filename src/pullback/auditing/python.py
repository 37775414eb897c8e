"""Claims that are Python functions: called at drawn points, with an eye on what they change in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.auditing.claims import Claim
from pullback.auditing.report import Report
from pullback.auditing.trial import Trial
from pullback.errors import UnsupportedError, ValuesError
from pullback.lowering.given import Shapes
from pullback.lowering.program import Program
from pullback.syntax.names import normalise


def call_backward(
    backward: Callable[..., Any],
    program: Program,
    drawn: Sequence[Trial],
    upstream: str | None,
    wanted: Sequence[str],
) -> tuple[list[Claim], tuple[str, ...]]:
    """Call ``backward(g, *inputs)`` at every trial.

    Returns:
        A claim for each wanted variable, and the names of the arguments that it changed in place.

    Raises:
        ValuesError: It gives another number of gradients than there are inputs.
    """
    import numpy as np

    collected: dict[str, list[Any]] = {name: [] for name in wanted}
    altered: list[str] = []
    for trial in drawn:
        inputs = {name: np.array(trial.values[name]) for name in program.inputs}
        output = tuple(axis.evaluate(trial.sizes) for axis in program.output.shape)
        g = np.array(trial.values[upstream]) if upstream is not None else np.ones(output)
        before = {"g": g.copy(), **{name: array.copy() for name, array in inputs.items()}}
        result = backward(g, *inputs.values())
        for name, array in {"g": g, **inputs}.items():
            if not np.array_equal(before[name], array) and name not in altered:
                altered.append(name)
        for name, array in by_name(result, list(program.inputs), program).items():
            if name in collected:
                collected[name].append(np.array(array, dtype=np.float64))
    claims = [Claim(name, "", (), tuple(arrays)) for name, arrays in collected.items() if len(arrays) == len(drawn)]
    return claims, tuple(altered)


def by_name(result: Any, names: Sequence[str], program: Program) -> Mapping[str, Any]:
    """Read what a backward pass gives: a mapping, or one gradient an input in order, None for no gradient."""
    if isinstance(result, Mapping):
        return {normalise(name).removeprefix("d") if normalise(name) not in names else normalise(name): value
                for name, value in result.items() if value is not None}  # fmt: skip
    parts = list(result) if isinstance(result, tuple | list) else [result]
    free = [name for name in names if "constant" not in program.inputs[name].properties]
    if len(parts) == len(names):
        return {name: part for name, part in zip(names, parts, strict=True) if part is not None}
    if len(parts) == len(free):
        return {name: part for name, part in zip(free, parts, strict=True) if part is not None}
    raise ValuesError(
        f"the backward pass gives {len(parts)} gradient(s) for {len(names)} inputs: {', '.join(names)}",
        hint="give one for each input, in order, or a mapping from name to gradient",
    )


def audit_python(
    source: Any,
    claims: Any,
    *,
    values: Any,
    shapes: Shapes | None,
    seed: int,
    lang: str,
) -> Report:
    """Audit a backward pass written in Python beside a forward pass written in Python."""
    from pullback.auditing.audit import audit_program
    from pullback.tracing.read import read_pair

    if isinstance(source, tuple) and len(source) == 2 and claims is None:
        source, claims = source
    program, backward = read_pair(source, claims, values, shapes)
    if backward is None:
        raise UnsupportedError("there is no backward pass to audit", hint="give audit(forward, backward)")
    return audit_program(program, backward, seed=seed, lang=lang)
