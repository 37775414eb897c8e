"""A derivation as data, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pullback.derivation.backward import backward_step
from pullback.derivation.checking import Check, compare
from pullback.derivation.opening import forward_step, given_step
from pullback.derivation.request import Request
from pullback.derivation.results import check_step, result_step
from pullback.derivation.steps import Step
from pullback.expression import Expression, Results

if TYPE_CHECKING:
    from numpy import ndarray

Method = Literal["elementwise", "differential"]
METHODS: tuple[Method, ...] = ("elementwise", "differential")


@dataclass(frozen=True)
class Record:
    """The steps of a derivation with its results; made when first asked for."""

    request: Request
    method: Method = "elementwise"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What is given, the forward pass, the backward pass, the results, the check."""
        given, forward = given_step(self.request), forward_step(self.request)
        middle = backward_step(self.request, self.method)
        last = [result_step(self.request, self.numbers)]
        if self.check is not None:
            last.append(check_step(self.check, self.request))
        return (given, forward, middle, *last)

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
        """The comparison with central differences, where values are given."""
        request = self.request
        if request.values is None or request.structured:
            return None
        import numpy as np

        arrays, sizes = request.arrays
        shape = tuple(axis.evaluate(sizes) for axis in request.program.output.shape)
        drawn = request.upstream is None and not request.is_loss
        if drawn:
            upstream = np.random.default_rng(0).standard_normal(shape)
        elif request.upstream is not None:
            upstream = np.asarray(request.upstream, dtype=np.float64)
        else:
            upstream = np.ones(shape)
        extra = {} if request.is_loss else {request.upstream_name: upstream}
        known = {**request.values, **extra}
        found = self.results.evaluate(known)
        derived = {name: found[request.program.inputs[name].name] for name in request.wrt}
        program = request.program
        structured = [name for name, entry in program.inputs.items() if entry.properties - {"positive", "constant"}]
        program = program.freed(structured) if structured else program
        expression = Expression(program.output.node, program.output.shape, program)
        values = {name: array for name, array in arrays.items() if name in request.program.inputs}
        free = {
            name: value
            for name, value in request.values.items()
            if name not in values and (name in sizes or callable(value))
        }
        return compare(
            expression, {n: a for n, a in derived.items() if n in values}, {**values, **free}, upstream, drawn
        )
