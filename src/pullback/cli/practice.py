"""The command practice: exercises in deriving, in the terminal."""

from __future__ import annotations

import argparse

from pullback.languages import of_locale
from pullback.practice.terminal import practice


def run(options: argparse.Namespace) -> int:
    """Ask until the reader stops."""
    practice(topic=options.topic, count=options.count, seed=options.seed, language=options.lang or of_locale())
    return 0
