"""Practice: any equal answer is right, a wrong one is explained without giving the answer away."""

from __future__ import annotations

import io
import sys
from io import StringIO

import numpy as np
import pytest

from pullback.errors import PullbackError
from pullback.languages import audit_en, audit_ko
from pullback.practice.exercises import EXERCISES, TOPICS, Exercise, generated, of_program
from pullback.practice.kinds import KINDS, OTHER, kind_of
from pullback.practice.session import Attempt, Score, judge
from pullback.practice.steps import steps_of
from pullback.practice.terminal import practice

TWO_LAYERS = Exercise("h = sigmoid(W x); y = V h", "W", "own")


def session(text: str, *exercises: Exercise, language: str = "en", steps: bool = False) -> tuple[Score, str]:
    """What comes of some lines typed, and what was written."""
    out = StringIO()
    score = practice(exercises or None, source=StringIO(text), out=out, language=language, steps=steps)
    return score, out.getvalue()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: f"{e.program} by {e.variable}")
def test_the_solution_is_accepted(exercise: Exercise) -> None:
    attempt = Attempt(exercise)
    right, said = judge(attempt, attempt.solution, Score())
    assert right, said


@pytest.mark.parametrize("seed", range(12))
def test_generated_exercises_can_be_solved(seed: int) -> None:
    attempt = Attempt(generated(np.random.default_rng(seed)))
    assert judge(attempt, attempt.solution, Score())[0]
    for step in steps_of(attempt.exercise):
        by_itself = Attempt(step)
        assert judge(by_itself, by_itself.solution, Score())[0]


def test_generated_exercises_differ() -> None:
    assert len({generated(np.random.default_rng(seed)).program for seed in range(60)}) > 25


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_session(language: str) -> None:
    softmax = [exercise for exercise in EXERCISES if exercise.topic == "softmax"]
    score, _ = session("g .* p\n?\np .* g - p p' g\nnonsense(\nskip\n", *softmax, language=language)
    assert (score.solved, score.alone, score.given_up, score.answers) == (1, 0, 1, 2)
    assert score.mistakes["softmax_half"] == 1
    assert score.kinds == {"function": 1}
    assert (score.asked["softmax"], score.done["softmax"]) == (3, 1)


@pytest.mark.parametrize(
    "text",
    [
        "g x'",
        "dL/dW = g x'",
        "∂L/∂W = ∂L/∂y xᵀ",
        "dy @ x.T",
        "(x g')'",
        "outer(g, x)",
        "d = 2 g; d x' / 2",
        "dL/dy = g; dL/dy x'",
    ],
)
def test_any_equal_answer_is_right_however_it_is_spelled(text: str) -> None:
    assert judge(Attempt(Exercise("y = W x", "W", "linear")), text, Score())[0]


def test_the_gradient_of_a_step_is_not_that_of_the_output() -> None:
    attempt = Attempt(Exercise("y = W x; h = tanh(y)", "W", "own"))
    with pytest.raises(PullbackError, match="dy is not in the program"):
        attempt.answer("dL/dy x'")
    assert attempt.tries == 0
    assert judge(attempt, "dy = dL/dh .* (1 - h.^2); dy x'", Score())[0]


@pytest.mark.parametrize(("answer", "hidden"), [("x g'", "g x'"), ("W g", "W' g"), ("g x", "W'")])
def test_a_wrong_answer_does_not_give_the_right_one_away(answer: str, hidden: str) -> None:
    attempt = Attempt(Exercise("y = W x", "W" if hidden == "g x'" else "x", "linear"))
    right, said = judge(attempt, answer, Score())
    assert not right and hidden not in said and "hint:" not in said


def test_hints_come_in_steps() -> None:
    attempt = Attempt(Exercise("h = relu(W x + b)", "b", "activation", batch="B"))
    shape, path, rules, form = (attempt.hint() for _ in range(4))
    assert shape == "hint 1: dL/db has the shape of b: m"
    assert path.endswith("h = relu(x W' + ones(B) b') → x W' + ones(B) b'") or "relu" in path
    assert "relu(x): x ← g step(x)" in rules and "gets the sum over those places" in rules
    assert form == attempt.hint() == f"dL/db = {attempt.solution}"


def test_step_by_step() -> None:
    score, said = session("step\nV' g\ng\ng .* h .* (1 - h) x'\nV' g .* h .* (1 - h) x'\n", TWO_LAYERS)
    assert "step 2 of 2, from the output back: h = sigmoid(W x)" in said
    assert "Now put them together: dL/dW = ?" in said
    assert (score.solved, score.alone, score.answers) == (1, 0, 4)


def test_the_final_form_answers_a_step_too() -> None:
    score, said = session("V' g .* h .* (1 - h) x'\n", TWO_LAYERS, steps=True)
    assert "step 1 of 2" in said and "step 2" not in said
    assert (score.solved, score.given_up) == (1, 0)


def test_where_the_way_forks_there_are_no_steps() -> None:
    fork = Exercise("h = relu(W x); y = x + V h", "x", "paths")
    assert steps_of(fork) == []
    assert "a way that forks" in session("step\n", fork)[1]


@pytest.mark.parametrize("text", ["", "quit\n", "끝\n", "skip", "g x'"])
def test_a_session_that_ends_early_still_shows_the_score(text: str) -> None:
    assert "Solved: " in session(text, TWO_LAYERS)[1]


def test_control_c_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    keyboard = io.StringIO()
    monkeypatch.setattr(keyboard, "readline", interrupted)
    monkeypatch.setattr(sys, "stdin", keyboard)
    practice([TWO_LAYERS])
    assert "Solved: 0" in capsys.readouterr().out


def test_a_program_of_ones_own() -> None:
    assert [e.variable for e in of_program("y = W x + b")] == ["W", "x", "b"]
    assert [e.variable for e in of_program("y = W x + b", ["b"])] == ["b"]
    with pytest.raises(PullbackError, match="c is not"):
        of_program("y = W x + b", ["c"])
    with pytest.raises(PullbackError, match="there is no topic 'x'"):
        practice(topic="x")


@pytest.mark.parametrize("catalogue", [audit_en, audit_ko], ids=["en", "ko"])
def test_every_topic_and_kind_has_its_words(catalogue: object) -> None:
    messages = catalogue.MESSAGES  # type: ignore[attr-defined]
    topics = [f"practice.topic.{topic}" for topic in (*TOPICS, "generated", "own")]
    assert not [key for key in (*topics, *(f"practice.kind.{kind}" for kind in (*KINDS, OTHER))) if key not in messages]


def test_every_explanation_is_of_a_kind() -> None:
    keys = [key.removeprefix("mistake.") for key in audit_en.MESSAGES if key.startswith("mistake.")]
    assert {key for key in keys if kind_of(key) == OTHER} == {"two", "not_finite", "also_factor", "in_place"}
    every = [key for keys in KINDS.values() for key in keys]
    assert len(every) == len(set(every))
