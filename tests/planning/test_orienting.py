"""Matrices of a plan are turned so that few transposes are left, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.backends.numpy import NumpyProgram
from pullback.compiling import Task, task_of_program
from pullback.deriving import parse
from pullback.planning.orienting import oriented
from pullback.planning.steps import Plan

PROGRAMS = [
    "H = relu(X W1' + ones(B) b1'); cross_entropy(H W2' + ones(B) b2', T)",
    "Y = gelu(X W)",
    "S = Q K'; P = softmax(S, rows); Y = P V",
    "Y = softmax(A B, columns) .* C'",
    "batch B: h = tanh(W x + b); y = V h",
    "Y = diag(x) A' B .* C",
]
SIZES = {name: 2 + k for k, name in enumerate("BCDEFGHijklmnopqrst")}


def transposes(plan: Plan) -> int:
    return sum(step.kind == "permute" for step in plan.steps)


def run(plan: Plan) -> list[Any]:
    rng = np.random.default_rng(0)
    given = [rng.normal(size=shape) for _, shape in plan.inputs.values()]
    names = ", ".join(f"{{{k}}}" for k in range(len(plan.results)))
    return list(NumpyProgram(plan, np.float64, f"({names},)", False).bind(lambda *_: None)(*given))


@pytest.mark.parametrize("program", PROGRAMS)
def test_results_stay_and_transposes_go(program: str) -> None:
    task = task_of_program(parse(program), None, "upstream")
    plan = task.plan({name: SIZES.get(name, 7) for name in task.dimensions()})
    turned, _ = oriented(plan, {})
    assert transposes(turned) <= transposes(plan)
    for found, right in zip(run(turned), run(plan), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12)


def test_a_wish_is_worth_a_few_transposes() -> None:
    program = parse("Y = tanh(X W)")
    task = Task(program.inputs, ((program.output.node, program.output.shape),), "{0}")
    plan = task.plan({"m": 3, "n": 4, "k": 5})
    product = next(step.output for step in plan.steps if step.kind == "dot")
    for wish in (False, True):
        new, final = oriented(plan, {product: wish})
        assert final[product][1] is wish
        np.testing.assert_allclose(run(new)[0], run(plan)[0])
