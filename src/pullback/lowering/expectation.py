"""Expectations over Gaussian vectors; refused until they are derived."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pullback.syntax.tree import Expectation

if TYPE_CHECKING:
    from pullback.lowering.expressions import Environment, Lowering


def expectation(lowering: Lowering, tree: Expectation, names: Environment) -> NoReturn:
    """Refuse by name."""
    raise lowering.unsupported("expectations are not derived yet", tree.span)
