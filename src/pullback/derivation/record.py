"""A derivation as data, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pullback.derivation.backward import backward_step
from pullback.derivation.checking import Check, compare
from pullback.derivation.finishing import finished
from pullback.derivation.opening import forward_step, given_step
from pullback.derivation.request import Request
from pullback.derivation.results import check_step, numerator_step, result_step
from pullback.derivation.second import Second
from pullback.derivation.steps import Step
from pullback.expression import Results

if TYPE_CHECKING:
    from numpy import ndarray

Method = Literal["elementwise", "differential"]
METHODS: tuple[Method, ...] = ("elementwise", "differential")


@dataclass(frozen=True)
class Record:
    """The steps of a derivation with its results; made when first asked for."""

    request: Request
    method: Method = "elementwise"
    checked: bool = True
    """Whether the results are compared with measured slopes."""
    second: Second | None = None
    """The Jacobian or the Hessian, where one is wanted."""
    layout: str = "denominator"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What is given, the forward pass, the backward pass, the results, the check; then what is second."""
        given, forward = given_step(self.request), forward_step(self.request)
        middle = backward_step(self.request, self.method)
        last = [result_step(self.request, self.numbers)]
        if self.layout == "numerator":
            last.append(numerator_step(self.request, self.numbers))
        if self.check is not None:
            last.append(check_step(self.check, self.request))
        steps = [finished(step, self.request) for step in (given, forward, middle, *last)]
        if self.second is not None:
            steps += self.second.steps(self.method)
            if self.checked and self.second.check is not None:
                steps.append(check_step(self.second.check, self.request))
        return tuple(steps)

    @property
    def results(self) -> Results:
        """The closed form of each gradient, by the name of its input."""
        return self.request.results

    @cached_property
    def numbers(self) -> Mapping[str, ndarray[Any, Any]] | None:
        """The gradients as arrays, where values and an upstream gradient are given."""
        request = self.request
        if request.values is None or not (request.is_loss or request.upstream is not None):
            return None
        extra = {} if request.upstream is None else {request.upstream_name: request.upstream}
        known = {**request.values, **extra}
        return self.results.evaluate(known)

    @cached_property
    def check(self) -> Check | None:
        """The comparison with measured slopes; None where it was not wanted or can't be made."""
        if not self.checked or self.request.structured:
            return None
        return compare(self.request, self.results)
