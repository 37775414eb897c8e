"""Every program of the corpus: all backends agree with the interpreter, in float64 and float32."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compiling import compile_expression, compile_program
from pullback.expression import Expression
from tests.corpus import loading
from tests.corpus.loading import Case
from tests.corpus.run import derive

BACKENDS = ["numpy", *(name for name in ("torch", "jax") if find_spec(name))]
BOUNDS = {"float64": 1e-9, "float32": 2e-3}
CASES = [case for case in loading.cases() if not case.functions]
everywhere = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}/{case.id}")


def drawn(case: Case) -> dict[str, Any]:
    values: dict[str, Any] = dict(loading.draw(case, 0))
    if case.upstream:
        values[case.upstream] = loading.draw_upstream(case, values, 0)
    return values


@everywhere
def test_results_are_those_of_the_interpreter(case: Case) -> None:
    values = drawn(case)
    for name, expression in derive(case).items():
        right = expression.evaluate(values)
        for backend in BACKENDS:
            function = compile_expression(expression, backend=backend)
            for kind in ("float64", "float32") if backend == "numpy" else ("float64",):
                given = {key: value.astype(kind) for key, value in values.items()}
                kept = {key: value.copy() for key, value in given.items()}
                for _ in range(2):
                    found = function(**given)
                assert found.dtype == kind
                assert loading.error(found, right) < BOUNDS[kind], (name, backend, kind)
                assert all(np.array_equal(given[key], kept[key]) for key in given)


@everywhere
def test_a_program_and_its_backward_pass_are_one_plan(case: Case) -> None:
    values = {key: value for key, value in drawn(case).items() if key != case.upstream}
    program = pb.parse(case.program, case.shapes, case.assume)
    output = Expression(program.output.node, program.output.shape, program).evaluate(values)
    seed = np.random.default_rng(0).normal(size=output.shape) if output.size > 1 else np.ones(output.shape)
    given = values if output.size == 1 else {**values, "upstream": seed}
    found, slopes = compile_program(program, list(case.wrt), "upstream")(**given)
    assert loading.error(found, output) < 1e-9
    right = pb.backward(program, list(case.wrt), "upstream").evaluate({**values, "upstream": seed})
    for name, array in right.items():
        assert loading.error(slopes[name], array) < 1e-8, name
