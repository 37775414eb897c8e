"""Practice: any equal answer is right, a wrong one is explained without giving the answer away."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest

from pullback.practice.exercises import EXERCISES, Exercise, generated
from pullback.practice.session import Attempt, Score, judge
from pullback.practice.terminal import practice


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: f"{e.program} by {e.variable}")
def test_the_solution_is_accepted(exercise: Exercise) -> None:
    attempt = Attempt(exercise)
    right, said = judge(attempt, attempt.solution, Score())
    assert right, said


@pytest.mark.parametrize("seed", range(8))
def test_generated_exercises_can_be_solved(seed: int) -> None:
    attempt = Attempt(generated(np.random.default_rng(seed)))
    assert judge(attempt, attempt.solution, Score())[0]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_session(language: str) -> None:
    out = StringIO()
    answers = StringIO("g .* p\n?\np .* g - p p' g\nnonsense(\nskip\n")
    score = practice(topic="softmax", language=language, source=answers, out=out)
    assert (score.solved, score.alone, score.given_up, score.answers) == (1, 0, 1, 2)
    assert score.mistakes["softmax_half"] == 1


def test_a_wrong_answer_does_not_give_the_right_one_away() -> None:
    attempt = Attempt(Exercise("y = W x", "W", "linear"))
    _, said = judge(attempt, "x g'", Score())
    assert "transpose" in said and "g x'" not in said
