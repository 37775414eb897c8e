"""The corpus proves itself, without pullback: fields, oracles, forms and checks agree with one another."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.corpus import loading, measuring, reading
from tests.corpus.loading import KINDS, Case

TOLERANCE = 1e-8
SEEDS = (0,)
everywhere = pytest.mark.parametrize("case", loading.cases(), ids=lambda case: f"{case.file}/{case.id}")


def kinds(case: Case) -> dict[str, reading.Kind]:
    """What the second reader needs to know: dimensions are scalars, g is of the output's shape."""
    known: dict[str, reading.Kind] = dict.fromkeys(case.sizes, "scalar")
    known |= {name: reading.kind_of(dims) for name, dims in case.shapes.items()}
    if case.upstream:
        known[case.upstream] = reading.kind_of(np.shape(loading.output(case, loading.draw(case))))
    return known


def drawn(case: Case, seed: int) -> tuple[dict[str, loading.Array], dict[str, loading.Array]]:
    """Values and the derivative by JAX; a case's values include its upstream gradient."""
    values = loading.draw(case, seed)
    upstream = loading.draw_upstream(case, values, seed) if case.upstream else None
    right = loading.reference(case, values, upstream)
    return values | ({} if upstream is None else {case.upstream: upstream}), right


def test_identifiers_are_unique() -> None:
    repeated = [name for name, count in Counter(case.id for case in loading.cases()).items() if count > 1]
    assert not repeated


def test_the_corpus_is_large_enough() -> None:
    assert len(loading.cases()) >= 340
    assert {case.kind for case in loading.cases()} == set(KINDS)


@everywhere
def test_fields(case: Case) -> None:
    assert case.title and case.source and case.kind in KINDS
    assert set(case.wrt) <= set(case.shapes)
    assert len(case.wrt) >= 1
    assert not set(case.sizes) & set(case.shapes), "a dimension and an input share a name"
    assert set(case.assume) <= set(case.shapes) and set(case.domain) <= set(case.shapes)
    assert bool(case.upstream) == (case.kind == "backward")
    if case.has_matrix_form:
        assert all(case.forms.get(name) and case.check.get(name) for name in case.results)


@everywhere
def test_oracle_is_finite_and_is_the_program(case: Case) -> None:
    for seed in SEEDS:
        values = loading.draw(case, seed)
        value = loading.output(case, values)
        assert np.all(np.isfinite(value))
        if case.functions or "large" in case.domain.values():
            continue  # of a function by its name there is nothing to run; a plain formula overflows
        source = reading.translate(case.program, kinds(case))
        again = loading.evaluate(source, {**case.sizes, **values}, numpy=True)
        assert loading.error(again, value) < TOLERANCE
        if case.kind in ("gradient", "hessian"):
            assert value.shape == ()


@everywhere
def test_check_and_every_accepted_form_are_the_derivative(case: Case) -> None:
    known = kinds(case)
    for seed in SEEDS:
        values, right = drawn(case, seed)
        names = {**case.sizes, **values}
        measured = {} if case.structured else measuring.measured(case, values, values.get(case.upstream))
        for name, array in measured.items():
            assert loading.error(right[name], array) < measuring.tolerance(case), (name, "JAX is not the measured one")
        for name, array in right.items():
            assert np.all(np.isfinite(array)), name
            forms = () if case.functions else case.forms.get(name, ())
            sources = {form: reading.translate(form, known) for form in forms}
            if name in case.check:
                sources["check"] = case.check[name]
            for what, source in sources.items():
                found = loading.evaluate(source, names, numpy=True)
                assert loading.error(found, array) < TOLERANCE, (name, what)
