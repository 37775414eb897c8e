"""``pullback practice``: exercises in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from pullback.checking.words import say
from pullback.practice.exercises import Exercise, chosen, generated
from pullback.practice.session import Attempt, Score, judge


def practice(
    exercises: Sequence[Exercise] | None = None,
    *,
    topic: str | None = None,
    count: int | None = None,
    seed: int = 0,
    language: str = "en",
    source: TextIO | None = None,
    out: TextIO | None = None,
) -> Score:
    """Ask exercises until they are done or the reader stops; answers come line by line.

    Args:
        exercises: What to ask; by default those of the topic.
        topic: Such as linear, activation, softmax, paths, matrices; ``generated`` makes new ones.
        count: How many to ask.
        seed: Of what is generated.
        language: ``en`` or ``ko``.
        source: Where answers are read from.
        out: Where everything is written.
    """
    source, out = source or sys.stdin, out or sys.stdout
    if exercises is None:
        if topic == "generated":
            import numpy as np

            rng = np.random.default_rng(seed)
            exercises = [generated(rng) for _ in range(count or 5)]
        else:
            exercises = chosen(topic)
    score = Score()
    print(say(language, "practice.welcome"), file=out)
    for number, exercise in enumerate(exercises[:count], 1):
        print(f"\n{number}. {Attempt(exercise, language).question}", file=out)
        if not _ask(Attempt(exercise, language), score, source, out):
            break
    print("\n" + score.show(language), file=out)
    return score


def _ask(attempt: Attempt, score: Score, source: TextIO, out: TextIO) -> bool:
    """Ask one exercise; False where the reader stops."""
    while True:
        print("> ", end="", file=out, flush=True)
        line = source.readline()
        word = line.strip().lower()
        if not line or word in ("quit", "q", "exit", "끝"):
            return False
        if not word:
            continue
        if word in ("hint", "?", "h", "힌트"):
            print(attempt.hint(), file=out)
            continue
        if word in ("skip", "show", "s", "정답"):
            score.given_up += 1
            print(
                say(attempt.language, "practice.hint.form", name=attempt.exercise.variable, form=attempt.solution),
                file=out,
            )
            return True
        right, text = judge(attempt, line.strip(), score)
        print(text, file=out)
        if right:
            return True
