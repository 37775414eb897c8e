"""Closed forms to the letter, and their numbers: ``closed_forms.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.dimension import Dimension
from pullback.expression import Expression
from pullback.operations.table import FUNCTIONS
from pullback.syntax.parser import parse_program
from tests.engine import checking
from tests.engine.arrays import Array, UnfitError
from tests.engine.checking import Case
from tests.engine.generation import Dim
from tests.strategies import Made

PATH = Path(__file__).parent / "closed_forms.toml"
LENGTHS = (2, 3, 5, 4, 7)


@dataclass(frozen=True)
class Form:
    """A derivative with its text."""

    kind: str
    program: str
    expected: str
    wrt: str = ""
    draw: Mapping[str, str] = field(default_factory=dict)
    assume: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, list[int | str]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    structured: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.wrt.split(",") if name.strip())


@cache
def forms() -> list[Form]:
    with PATH.open("rb") as file:
        return [Form(**entry) for entry in tomllib.load(file)["form"]]


def derived(form: Form) -> Any:
    given = {
        "shapes": {name: tuple(shape) for name, shape in form.shapes.items()},
        "assume": dict(form.assume),
    }
    match form.kind:
        case "gradient":
            return pb.gradient(form.program, form.wrt, structured=form.structured, **given)  # type: ignore[arg-type]
        case "backward":
            return pb.backward(form.program, form.names or None, **given)  # type: ignore[arg-type]
        case "jacobian":
            return pb.jacobian(form.program, form.wrt, **given)  # type: ignore[arg-type]
    return pb.hessian(form.program, form.wrt if len(form.names) == 1 else form.names, **given)  # type: ignore[arg-type]


def label(form: Form) -> str:
    return f"{form.kind} {form.program} by {form.wrt or 'all'}"


def test_there_are_enough() -> None:
    assert len(forms()) >= 80
    assert {form.kind for form in forms()} == {"gradient", "backward", "jacobian", "hessian"}
    assert len({label(form) for form in forms()}) == len(forms()), "a form is there twice"


@pytest.mark.parametrize("form", forms(), ids=label)
def test_closed_form_is_printed_as_written(form: Form) -> None:
    assert str(derived(form)) == form.expected.strip()


def case_of(form: Form, result: Expression) -> Case:
    """The program at a point where it can be compared, with the shapes that the engine found."""
    for seed in range(100):
        case = at_seed(form, result, seed)
        try:
            _ = case.exact
        except UnfitError:
            continue
        return case
    raise AssertionError("no point fits: give the form a `draw`")


def at_seed(form: Form, result: Expression, seed: int) -> Case:
    program = result.program
    symbols = sorted({name for entry in program.inputs.values() for axis in entry.shape for name in axis.names})
    sizes = {**dict(zip(symbols, LENGTHS, strict=False)), **form.sizes}
    shapes = {name: tuple(as_dim(axis) for axis in entry.shape) for name, entry in program.inputs.items()}
    parsed = parse_program(form.program, FUNCTIONS)
    made = Made(parsed.bindings, shapes, {**form.draw, **form.assume}, sizes, frozenset(), form.program, seed)
    case = Case(made)
    case.__dict__["program"] = program
    return case


def as_dim(axis: Dimension) -> Dim:
    """A dimension that is a name, a number, or a sum or product of them, as the generator says it."""
    monomials: list[Dim] = []
    for names, count in axis.terms:
        parts: list[Dim] = [str(count)] if count != 1 or not names else []
        parts += names
        whole = parts[0]
        for part in parts[1:]:
            whole = (whole, "*", part)
        monomials.append(whole)
    total = monomials[0]
    for monomial in monomials[1:]:
        total = (total, "+", monomial)
    return total


@pytest.mark.parametrize("form", forms(), ids=label)
def test_closed_form_is_right(form: Form) -> None:
    results = derived(form)
    expressions: dict[str, Expression]
    expressions = dict(results.items()) if form.kind == "backward" else {form.wrt: results}
    case = case_of(form, next(iter(expressions.values())))
    exact = case.exact
    upstream: Array = np.ones(exact.shape)
    if form.kind == "backward":
        upstream = case.rng.normal(size=exact.shape)
    values = dict(case.values)
    for name, expression in expressions.items():
        if "g" in expression.inputs and form.kind == "backward":
            axes = expression.inputs["g"].shape
            values["g"] = upstream.reshape([axis.evaluate(case.sizes) for axis in axes])
        found = case.evaluate(expression, values)
        if form.structured:
            continue
        if form.kind == "hessian":
            first, second = form.names * (2 // len(form.names))
            checking.compare_second(case, found, first, second, label(form))
        elif form.kind == "jacobian":
            checking.compare_along(case, found, name, label(form))
        else:
            checking.compare_pulled(case, found, name, upstream, label(form))


@pytest.mark.parametrize("form", forms(), ids=label)
def test_closed_form_reads_back(form: Form) -> None:
    results = derived(form)
    for expression in results.values() if form.kind == "backward" else [results]:
        checking.check_round_trip(expression, case=case_of(form, expression))
