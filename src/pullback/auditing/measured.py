"""Audits by numbers alone: where the forward pass can't be read, gradients are measured, and claims compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.auditing.relations import Compared, relations
from pullback.auditing.report import Difference, Explanation, Finding, Report
from pullback.checking.forward import of_function
from pullback.checking.gradients import gradients_of
from pullback.checking.measure import Function
from pullback.errors import UnsupportedError
from pullback.tracing.calling import called_safely
from pullback.tracing.layer import Backward, Layer

_POINTS = 2
_TOLERANCE = 1e-6
_MOST_ENTRIES = 4000


def audit_by_numbers(layer: Layer, backward: Backward, *, seed: int, lang: str, note: str) -> Report:
    """Compare a backward pass with measured gradients; say what relates the two as a whole.

    Raises:
        UnsupportedError: There are no examples to measure at, or too many entries.
        ValuesError: One of the two passes fails.
    """
    import numpy as np

    if not layer.examples:
        raise UnsupportedError("example values are needed where a function can't be read", hint="give values=[…]")
    if sum(np.size(e) for e in layer.examples) > _MOST_ENTRIES:
        raise UnsupportedError(f"more than {_MOST_ENTRIES} entries are too many to measure", hint="give smaller arrays")
    rng = np.random.default_rng(seed)
    points = [
        list(layer.examples),
        *([rng.standard_normal(np.shape(e)) for e in layer.examples] for _ in range(_POINTS)),
    ]
    compared = [_compare(layer, backward, point, rng) for point in points]
    findings = [_finding(name, [each[name] for each in compared]) for name in compared[0]]
    return Report(layer.title, tuple(findings), (note,), lang)


def _compare(layer: Layer, backward: Backward, point: Sequence[Any], rng: Any) -> dict[str, Compared]:
    import numpy as np

    def run(named: Mapping[str, Any]) -> Any:
        return called_safely("forward", layer.forward, *(np.array(named[name]) for name in layer.names))

    values = dict(zip(layer.names, (np.asarray(p, dtype=np.float64) for p in point), strict=True))
    g = np.asarray(rng.standard_normal(np.shape(run(values))))
    result = called_safely("backward", backward, g.copy(), *(v.copy() for v in values.values()))
    claims = gradients_of(result, layer.names)
    forward = of_function(run, complex_ready=False)
    right = {name: _measured(Function(forward, values, {}, g), name) for name in claims}
    ones = {name: _measured(Function(forward, values, {}, np.ones_like(g)), name) for name in claims}
    sizes = _sizes({**values, "": g})
    return {
        name: Compared(
            claims[name], right[name], ones[name], {o: right[o] for o in right if o != name}, values[name], sizes,
            None, False, _TOLERANCE,
        )
        for name in claims
    }  # fmt: skip


def _measured(function: Function, name: str) -> Any:
    """The gradient by one variable, entry by entry; NaN at a kink."""
    import numpy as np

    value = np.asarray(function.values[name])
    found = np.zeros(value.shape)
    for index in np.ndindex(value.shape):
        direction = np.zeros(value.shape)
        direction[index] = 1.0
        found[index] = function.extrapolated({name: direction}, max(1.0, abs(float(value[index])))).value
    return found


def _sizes(values: Mapping[str, Any]) -> dict[str, int]:
    """The lengths of the axes, each called by itself."""
    import numpy as np

    return {str(n): n for value in values.values() for n in np.shape(value) if n > 1}


def _finding(name: str, pairs: Sequence[Compared]) -> Finding:
    import numpy as np

    first = pairs[0]
    if all(p.claim.shape == p.right.shape and p.same(p.claim, p.right) for p in pairs):
        return Finding(name, True, "", "", "measured")
    found = sorted(relations(pairs), key=lambda relation: relation.rank)
    explanations = tuple(Explanation(r.key, {"name": name, **r.fields}) for r in found[:5])
    if first.claim.shape != first.right.shape:
        shapes = (_say(first.right.shape), _say(first.claim.shape))
        return Finding(name, False, "", "", "", explanations, shapes)
    gap = np.where(np.isfinite(first.claim), np.abs(first.claim - first.right), np.inf)
    at = tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape)) if gap.ndim else ()
    difference = Difference(at, float(first.claim[at]), float(first.right[at]))
    return Finding(name, False, "", "", "", explanations, None, difference)


def _say(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "scalar"
