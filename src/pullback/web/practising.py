"""Practice on the page: exercises and answers as JSON. The page keeps the score; nothing is kept here.

An exercise is asked for whole, or a step at a time: each statement on the way from the output to the variable is
a small exercise of its own, where one statement leads to the next without a fork.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullback.practice.exercises import EXERCISES, Exercise, generated
from pullback.practice.session import MOST_HINTS, Attempt, Score, judge
from pullback.practice.steps import steps_of
from pullback.syntax.names import normalise, unicode_name
from pullback.web.forms import shown_form
from pullback.web.limits import MOST_ANSWER_TEXT, MOST_TEXT
from pullback.web.question import LANGUAGES, QuestionError, check_depth

SCHEMA = "pullback/practice/1"
OWN, GENERATED = "own", "generated"
_KINDS: Mapping[str, frozenset[str]] = {
    "turned": frozenset(
        "transposed row_or_column flattened layout axes_permuted swapped structured symmetrised symmetrised_sum "
        "transpose transpose_other transpose_upstream transpose_too_many transpose_too_few order order_and_transpose "
        "elementwise_for_product product_for_elementwise axis".split()
    ),
    "summed": frozenset(
        "not_summed not_averaged summed_too_much summed_to_number mean_missing mean_surplus mean_as_sum mean "
        "sum_missing sum_surplus mean_for_sum wrong_count".split()
    ),
    "scaled": frozenset(
        "sign factor_missing_number factor_surplus_number factor_and_sign length_factor constant_factor "
        "varying_factor factor coefficient power_factor quotient_sign quotient_square "
        "factor_two factor_missing factor_surplus power power_kind division".split()
    ),
    "path": frozenset("upstream_forgotten zero path two_paths path_of_sum upstream product_rule term_surplus".split()),
    "function": frozenset(
        "derivative_missing value_for_derivative at_output at_input divided square_missing one_plus one_missing "
        "sigmoid_half mask_by_gradient mask_both leak leak_missing inner_sign reciprocal_missing derivative_sign "
        "softmax_diagonal softmax_half softmax_off_diagonal log_softmax softmax_not_weighted softmax_axis softmax_sign "
        "softmax_factor other_value other_function function_surplus inverse_transposes inverse_missing".split()
    ),
}
"""What the page counts mistakes by, and the explanations of an audit that are of each kind."""

_KNOWN = frozenset({"ask", "do", "lang", "exercise", "program", "variable", "step", "answer", "hints", "tries"})
_MOST_SEED = 2**32


@dataclass(frozen=True, slots=True)
class _Wish:
    do: str
    lang: str
    exercise: str
    program: str
    variable: str
    step: int
    answer: str
    hints: int
    tries: int


def practised(document: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a question about an exercise.

    Raises:
        PullbackError: It is no question, or the program of one's own is wrong.
    """
    wish = _read(document)
    if wish.do == "list":
        return {"schema": SCHEMA, "ok": True, "exercises": _listed()}
    whole = _chosen(wish)
    steps = steps_of(whole)
    if wish.step > len(steps):
        raise QuestionError("there is no such step")
    exercise = whole if wish.step == 0 else steps[wish.step - 1]
    made: dict[str, Any] = {"schema": SCHEMA, "ok": True, "steps": len(steps)}
    attempt = Attempt(exercise, wish.lang, tries=wish.tries)
    if wish.do == "ask":
        return {**made, **_asked(attempt)}
    if wish.do == "hint":
        attempt.hints = min(wish.hints, MOST_HINTS - 1)
        text = attempt.hint()
        return {**made, "hint": text, "hints": attempt.hints, "isLast": attempt.hints == MOST_HINTS}
    if wish.do == "show":
        return {**made, "solution": attempt.solution, "html": _written(attempt)}
    score = Score()
    right, said = judge(attempt, wish.answer, score)
    made.update(right=right, said=said, read=score.answers > 0, mistakes=sorted({_kind(key) for key in score.mistakes}))
    if right:
        made.update(solution=attempt.solution, html=_written(attempt))
    return made


def _kind(key: str) -> str:
    bare = key.rpartition(".")[2]
    return next((kind for kind, keys in _KINDS.items() if bare in keys), "other")


def _listed() -> list[dict[str, str]]:
    return [
        {"key": str(k), "program": one.program, "variable": one.variable, "topic": one.topic, "batch": one.batch or ""}
        for k, one in enumerate(EXERCISES)
    ]


def _chosen(wish: _Wish) -> Exercise:
    if wish.exercise == OWN:
        check_depth(wish.program)
        return Exercise(wish.program, wish.variable, OWN)
    kind, _, seed = wish.exercise.partition(":")
    if kind == GENERATED and seed.isdecimal() and int(seed) < _MOST_SEED:
        import numpy as np

        return generated(np.random.default_rng(int(seed)))
    if wish.exercise.isdecimal() and int(wish.exercise) < len(EXERCISES):
        return EXERCISES[int(wish.exercise)]
    raise QuestionError("there is no such exercise")


def _asked(attempt: Attempt) -> dict[str, Any]:
    program, variable = attempt.program, attempt.exercise.variable
    inputs = [
        {"label": unicode_name(name), "shape": [str(axis) for axis in entry.shape]}
        for name, entry in program.inputs.items()
    ]
    output = program.output
    return {
        "program": attempt.exercise.program,
        "batch": attempt.exercise.batch or "",
        "topic": attempt.exercise.topic,
        "variable": variable,
        "label": unicode_name(normalise(variable)),
        "shape": [str(axis) for axis in program.input(variable).shape],
        "inputs": inputs,
        "loss": "L" if not attempt.is_scalar else (unicode_name(output.name) if output.name else "L"),
        "output": unicode_name(output.name) if output.name else "y",
        "upstream": "" if attempt.is_scalar else attempt.upstream,
    }


def _written(attempt: Attempt) -> str:
    """The simplest form in mathematics."""
    from pullback.deriving import backward, gradient

    variable = attempt.exercise.variable
    if attempt.is_scalar:
        return shown_form(gradient(attempt.program, variable))
    return shown_form(backward(attempt.program, variable, attempt.upstream)[variable])


def _read(document: Mapping[str, Any]) -> _Wish:
    unknown = sorted(str(key)[:40] for key in document if key not in _KNOWN)
    if unknown:
        raise QuestionError(f"there is no field {unknown[0]!r}")
    if document.get("do") not in ("list", "ask", "judge", "hint", "show"):
        raise QuestionError("do is one of: list, ask, judge, hint, show")
    if document.get("lang", "en") not in LANGUAGES:
        raise QuestionError(f"lang is one of: {', '.join(LANGUAGES)}")
    texts = {"exercise": 32, "program": MOST_TEXT, "variable": 64, "answer": MOST_ANSWER_TEXT}
    read: dict[str, Any] = {"do": document["do"], "lang": document.get("lang", "en")}
    for name, most in texts.items():
        value = document.get(name, "")
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise QuestionError(f"{name} is a text of at most {most} characters")
        read[name] = value
    for name in ("step", "hints", "tries"):
        value = document.get(name, 0)
        if not isinstance(value, int) or not 0 <= value <= 1000:
            raise QuestionError(f"{name} is a small number")
        read[name] = int(value)
    check_depth(read["answer"])
    return _Wish(**read)
