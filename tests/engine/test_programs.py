"""Properties of every program: values, derivatives of first and second order, simplification, round trips."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.calculus.reverse import backward as pull_back
from pullback.expression import Expression
from pullback.lowering.asked import upstream_input
from pullback.operations.table import FUNCTIONS, HIDDEN
from pullback.simplification.simplify import simplify
from pullback.syntax.tree import Binding, Call, Syntax
from tests.engine import checking, soak
from tests.engine.arrays import UnfitError
from tests.engine.checking import Case
from tests.engine.shrinking import descendants
from tests.strategies import Made, programs, seeded

QUICK = settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
FEWER = settings(QUICK, max_examples=150)


def run(check: Callable[[Case], None], made: Made) -> None:
    """Run a check; points that are no place to compare at, and refusals by name, are left out."""
    try:
        check(Case(made))
    except UnfitError:
        assume(False)
    except pb.UnsupportedError:
        assume(False)


@QUICK
@given(programs())
def test_the_graph_computes_what_the_text_says(made: Made) -> None:
    run(checking.check_value, made)


@QUICK
@given(programs())
def test_derivatives_agree_with_complex_steps(made: Made) -> None:
    run(checking.check_first, made)


@FEWER
@given(programs(fuel=5))
def test_jacobians_agree_with_complex_steps(made: Made) -> None:
    run(checking.check_jacobian, made)


@FEWER
@given(programs(fuel=6, scalar=True))
def test_hessians_agree_with_differences_of_complex_steps(made: Made) -> None:
    run(checking.check_hessian, made)


@QUICK
@given(programs())
def test_what_is_printed_reads_as_the_same_object(made: Made) -> None:
    run(checking.check_printing, made)


@FEWER
@given(programs())
def test_simplifying_keeps_values(made: Made) -> None:
    run(check_simplification, made)


def check_simplification(case: Case) -> None:
    program = case.program
    names = list(program.inputs)
    if not names:
        return
    upstream = upstream_input(program, checking.UPSTREAM)
    targets = [program.inputs[name].variable for name in names]
    plain = pull_back(program.output.node, upstream.variable, targets)
    exact = case.exact
    values = dict(case.values)
    shape = [axis.evaluate(case.sizes) for axis in upstream.shape]
    values[checking.UPSTREAM] = case.rng.normal(size=exact.size).reshape(shape)
    for name, before, after in zip(names, plain, simplify(plain), strict=True):
        axes = program.inputs[name].shape
        extra = {checking.UPSTREAM: upstream}
        here, there = (case.evaluate(Expression(node, axes, program, extra), values) for node in (before, after))
        checking.close(there, here, checking.CLOSE, f"simplified dL/d{name}")


@QUICK
@given(programs())
def test_the_same_program_lowers_to_the_same_object(made: Made) -> None:
    assert Case(made).output.node is Case(made).output.node


ALPHABET = "ABWxyzαλ∥‖'^.*/+-=:;,()[]{}|_@·⊙⊗ᵀ⁻¹²₁ \n#0123.5\\~?\"E"
words = st.sampled_from([*sorted(FUNCTIONS), "rows", "columns", "batch B:", "\\frac", "\\top", "{", "}", "x", "A", "2"])
rubbish = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=ALPHABET, max_size=40),
    st.lists(st.one_of(words, st.sampled_from(list(ALPHABET))), max_size=14).map(" ".join),
)


@settings(QUICK, max_examples=1500)
@given(rubbish)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        program = pb.parse(text)
        for expression in pb.backward(program, upstream="upstream").values():
            assert expression.latex() and str(expression)
    except pb.PullbackError as error:
        assert str(error)


@settings(QUICK, max_examples=300)
@given(programs(), st.integers(0, 1 << 16), st.sampled_from(list(ALPHABET)))
def test_a_slip_in_a_program_is_read_or_refused(made: Made, place: int, slip: str) -> None:
    at = place % (len(made.text) + 1)
    for text in (made.text[:at] + slip + made.text[at:], made.text[:at] + made.text[at + 1 :]):
        try:
            pb.parse(text, shapes=made.declared, assume=made.assume)
        except pb.PullbackError as error:
            assert str(error)


def functions_of(bindings: tuple[Binding, ...]) -> set[str]:
    trees: list[Syntax] = [binding.value for binding in bindings]
    every = [*trees, *(inner for tree in trees for inner in descendants(tree))]
    return {tree.function for tree in every if isinstance(tree, Call)}


def test_the_generator_covers_the_language() -> None:
    seen: set[str] = set()
    for seed in range(1500):
        seen |= functions_of(seeded(seed).bindings)
    assert FUNCTIONS - HIDDEN - seen == set()


PROGRAMS, A_TIME = 2000, 40
FOUND = (
    20000251, 20000731, 20001109, 20003131, 20008846, 20009447, 20017044, 20018112, 20018442, 20023419, 21000765,
    21005617, 21006191,
)  # fmt: skip
"""Programs that once did not hold; they and those like them are short, so they are kept as seeds."""


def failures(seed: int) -> list[str]:
    """What ``python -m tests.engine.soak`` finds wrong with one program."""
    made, found = soak.drawn(seed), list[str]()
    for check in soak.checks_for(seed):
        result = soak.outcome(made, check)
        if result == "unfit":
            break
        if result not in (None, "refused"):
            found.append(f"seed {seed}: {check} / {result}")
    return found


@pytest.mark.parametrize("first", range(1_000_000, 1_000_000 + PROGRAMS, A_TIME))
def test_two_thousand_programs_hold(first: int) -> None:
    """Value and first derivatives of each; printing, Jacobians and Hessians of some."""
    assert [failure for seed in range(first, first + A_TIME) for failure in failures(seed)] == []


@pytest.mark.parametrize("seed", FOUND)
def test_what_long_runs_found_stays_mended(seed: int) -> None:
    assert failures(seed) == []
