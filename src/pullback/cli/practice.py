"""The command practice: exercises in deriving, in the terminal."""

from __future__ import annotations

import argparse

from pullback.languages import of_locale
from pullback.practice.exercises import of_program
from pullback.practice.terminal import practice


def run(options: argparse.Namespace) -> int:
    """Ask until the reader stops.

    Raises:
        PullbackError: There is no such topic, or the program of one's own can't be read.
    """
    names = [name.strip() for given in options.wrt for name in given.split(",") if name.strip()]
    exercises = of_program(options.program, names) if options.program else None
    practice(
        exercises,
        topic=options.topic,
        count=options.count,
        seed=options.seed,
        steps=options.steps,
        language=options.lang or of_locale(),
    )
    return 0
