"""Entrywise functions as chains of the few that every backend has; shared parts are written once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pullback.planning.drafting import Draft

DIRECT = frozenset({"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign", "erf", "power"})
"""Operations of the table that are one function in every backend."""


def lower_entrywise(draft: Draft, name: str, slots: Sequence[int]) -> int | None:
    """Write an operation of the table as entrywise steps; None if it is not known here."""
    if name in DIRECT:
        return draft.map(name, *slots)
    rule = _RULES.get(name)
    return rule(draft, *slots) if rule is not None else None


def _sigmoid(draft: Draft, x: int) -> int:
    return draft.map("reciprocal", draft.map("add", draft.map("exp", draft.map("negative", x)), draft.constant(1.0)))


def _softplus(draft: Draft, x: int) -> int:
    tail = draft.map("log1p", draft.map("exp", draft.map("negative", draft.map("abs", x))))
    return draft.map("add", draft.map("maximum", x, draft.constant(0.0)), tail)


def _gelu(draft: Draft, x: int) -> int:
    bell = draft.map("erf", draft.scaled(x, 1 / math.sqrt(2)))
    return draft.map("multiply", draft.scaled(x, 0.5), draft.map("add", bell, draft.constant(1.0)))


_RULES: dict[str, Callable[..., int]] = {
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu": lambda draft, x: draft.map("maximum", x, draft.constant(0.0)),
    "leaky_relu": lambda draft, x: draft.map("maximum", x, draft.scaled(x, 0.01)),
    "step": lambda draft, x: draft.map("greater", x, draft.constant(0.0)),
    "gelu": _gelu,
    "silu": lambda draft, x: draft.map("multiply", x, _sigmoid(draft, x)),
    "where": lambda draft, c, a, b: draft.map("where", c, a, b),
    "max2": lambda draft, a, b: draft.map("maximum", a, b),
    "min2": lambda draft, a, b: draft.map("minimum", a, b),
}
