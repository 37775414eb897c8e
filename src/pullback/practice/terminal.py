"""``pullback practice``: exercises in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TextIO

from pullback.checking.words import say
from pullback.practice.exercises import GENERATED, Exercise, chosen, generated
from pullback.practice.session import Attempt, Score, judge
from pullback.practice.steps import steps_of

_QUIT = frozenset({"quit", "q", "exit", "끝", "그만"})
_HINT = frozenset({"hint", "?", "h", "힌트"})
_SKIP = frozenset({"skip", "show", "s", "정답"})
_STEP = frozenset({"step", "steps", "단계"})
_HELP = frozenset({"help", "도움말"})


class _Stopped(Exception):
    """The reader has stopped: said so, ended the input, or pressed Ctrl-C."""


def practice(
    exercises: Sequence[Exercise] | None = None,
    *,
    topic: str | None = None,
    count: int | None = None,
    seed: int = 0,
    steps: bool = False,
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
        steps: Ask for each step first, where an exercise has steps.
        language: ``en`` or ``ko``.
        source: Where answers are read from.
        out: Where everything is written.
    """
    session = _Session(language, source or sys.stdin, out or sys.stdout)
    if exercises is None:
        exercises = _drawn(count or 5, seed) if topic == GENERATED else chosen(topic)
    session.say(say(language, "practice.welcome"))
    with suppress(_Stopped):
        for number, exercise in enumerate(exercises[:count], 1):
            session.ask(number, exercise, steps)
    session.say("\n" + session.score.show(language))
    return session.score


def _drawn(count: int, seed: int) -> list[Exercise]:
    import numpy as np

    rng = np.random.default_rng(seed)
    return [generated(rng) for _ in range(count)]


class _Session:
    """What is read from a reader and written to them."""

    def __init__(self, language: str, source: TextIO, out: TextIO) -> None:
        self.language, self.source, self.out = language, source, out
        self.score = Score()
        self.is_typed = source is sys.stdin and out is sys.stdout and source.isatty()
        if self.is_typed:
            with suppress(ImportError):
                import readline  # noqa: F401 - input() then edits lines and keeps a history

    def say(self, text: str) -> None:
        """Write lines."""
        print(text, file=self.out, flush=True)

    def line(self) -> str:
        """Read what the reader writes next; what does not come from a terminal is written too, to be read back."""
        try:
            if self.is_typed:
                return input("> ").strip()
            print("> ", end="", file=self.out, flush=True)
            text = self.source.readline()
        except (EOFError, KeyboardInterrupt):
            text = ""
        if not text:
            self.say("")
            raise _Stopped
        self.say(text.strip())
        return text.strip()

    def answers(self, attempt: Attempt) -> Iterator[str]:
        """What the reader writes that is no wish for a hint, until they want to see the answer."""
        while True:
            text = self.line()
            word = text.lower()
            if word in _QUIT:
                raise _Stopped
            if word in _HINT:
                self.say(attempt.hint())
            elif word in _HELP:
                self.say(say(self.language, "practice.welcome"))
            elif word in _SKIP:
                self.say(
                    say(self.language, "practice.hint.form", name=attempt.exercise.variable, form=attempt.solution)
                )
                return
            elif word:
                yield text

    def ask(self, number: int, exercise: Exercise, steps: bool) -> None:
        """Ask for the final form; for each step before, where that is wanted."""
        whole = Attempt(exercise, self.language)
        self.score.asked[exercise.topic] += 1
        self.say(f"\n{number}. {whole.question}")
        if steps and steps_of(exercise) and self.ask_steps(whole):
            return
        for text in self.answers(whole):
            if text.lower() in _STEP:
                if not steps_of(exercise):
                    self.say(say(self.language, "practice.steps.none"))
                elif self.ask_steps(whole):
                    return
                continue
            right, said = judge(whole, text, self.score)
            self.say(said)
            if right:
                return
        self.score.given_up += 1

    def ask_steps(self, whole: Attempt) -> bool:
        """Ask for each step; true where the reader gives the final form instead, and it is right."""
        steps = steps_of(whole.exercise)
        whole.hints = max(whole.hints, 1)  # to be led there is help
        for number, exercise in enumerate(steps, 1):
            attempt = Attempt(exercise, self.language)
            question = attempt.question
            self.say("\n" + say(self.language, "practice.step", step=number, count=len(steps), question=question))
            for text in self.answers(attempt):
                if text.lower() in _STEP:
                    continue
                of_step = Score()
                right, said = judge(attempt, text, of_step)
                if not right and self.is_final(whole, text):
                    self.say(judge(whole, text, self.score)[1])
                    return True
                self.score.answers += of_step.answers
                self.score.mistakes.update(of_step.mistakes)
                self.say(said)
                if right:
                    break
        self.say("\n" + say(self.language, "practice.steps.done", name=whole.exercise.variable))
        return False

    def is_final(self, whole: Attempt, text: str) -> bool:
        """Whether an answer to a step is the final form already."""
        return judge(Attempt(whole.exercise, self.language), text, Score())[0]
