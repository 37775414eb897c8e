"""What checks, audits and practice say, in English."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    # check
    "check.right": "right: {subject}",
    "check.wrong": "wrong: {subject}",
    "check.nothing": "nothing could be compared: {subject}",
    "check.worst": (
        "worst entry {place} ({point}): derived {derived}, measured {measured}; difference {difference}, "
        "allowed {allowed}"
    ),
    "check.also": "also {place} ({point}): derived {derived}, measured {measured}",
    "check.compared": "{count} entries compared, in float64, at: {points}",
    "check.tolerance.complex": (
        "tolerance {relative} of the largest entry: the complex step has no step error, so only rounding is allowed for"
    ),
    "check.tolerance.differences": (
        "tolerance {relative} of the largest entry plus 10 times the estimated error of the central "
        "differences, extrapolated to step zero"
    ),
    "check.second": "second derivatives along random directions are compared too (their names start with H)",
    "check.excluded": "left out: {reason} ({count})",
    "point.random": "random",
    "point.given": "given values",
    "point.zeros": "zeros",
    "point.ones": "ones",
    "point.repeated": "all entries equal",
    "point.tiny": "tiny values",
    "point.huge": "huge values",
    "reason.kink": "{kink}, where there is no derivative",
    "reason.undefined": "{point}: the function has no finite value there",
    "reason.unmeasured": "{point}: no finite difference quotient there",
}
