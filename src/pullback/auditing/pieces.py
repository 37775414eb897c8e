"""Functions in pieces: a claim that is right at the drawn points may be wrong on another piece.

Two analytic functions that agree at random points are one. relu(x - 5) and zero agree wherever none is drawn
above 5; so where the program or the claim has a kink, points far out are looked at too.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.auditing.claims import Claim
from pullback.auditing.trial import Setting, Trial
from pullback.errors import PullbackError
from pullback.tensor.node import Apply, topological

PIECEWISE = frozenset("relu leaky_relu abs sign step where max min max2 min2 hardmax norm1".split())
SCALES = (10.0, 300.0)
GROSS = 1e-4
"""A difference that rounding doesn't make, relative to the largest entry: far out, more is lost than near zero."""


def has_pieces(setting: Setting, claim: Claim) -> bool:
    """Whether the program, or the claim where it is a text, has a function in pieces."""
    operations = {n.operation.name for n in topological([setting.program.output.node]) if isinstance(n, Apply)}
    return bool((operations | set(claim.functions)) & PIECEWISE)


def farther(setting: Setting, drawn: Sequence[Trial], fixed: Sequence[str]) -> list[Trial]:
    """Points like the drawn ones, farther out, where the program has finite gradients there."""
    import numpy as np

    found = []
    for scale in SCALES:
        for trial in drawn:
            inputs = setting.program.inputs
            changes = {
                name: trial.values[name] * scale
                for name, entry in inputs.items()
                if name not in fixed and "orthogonal" not in entry.properties
            }
            try:
                with np.errstate(all="ignore"):
                    there = setting.changed(trial, changes)
            except (PullbackError, ArithmeticError, ValueError):
                continue
            if all(np.all(np.isfinite(array)) for array in there.right.values()):
                found.append(there)
    return found


def differs(claim: Claim, trial: Trial) -> bool:
    """Whether a claim is plainly wrong at a point; one that is no number there is left alone."""
    import numpy as np

    right = trial.right[claim.variable]
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(claim.at(trial), dtype=np.float64).reshape(right.shape)
    except (PullbackError, ArithmeticError, ValueError, TypeError, KeyError, IndexError):
        return False
    if not np.all(np.isfinite(value)):
        return False
    scale = max(1.0, float(np.max(np.abs(right), initial=0.0)), float(np.max(np.abs(value), initial=0.0)))
    return bool(np.max(np.abs(value - right), initial=0.0) > GROSS * scale)
