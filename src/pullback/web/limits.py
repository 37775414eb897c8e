"""What one question may cost. A question beyond its size is refused; one beyond its time or memory is ended."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BODY = 128 * 1024
MOST_TEXT = 4_000
MOST_VALUES = 64 * 1024
MOST_ENTRIES = 4_096
MOST_NAMES = 64
MOST_NESTED = 48
MOST_STATEMENTS = 60
MOST_ANSWER_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What the pool of workers allows itself."""

    workers: int = 4
    seconds: float = 6.0
    """Of one question, as its process is at work; a busy machine takes longer by the clock on the wall."""
    longest: float = 30.0
    """Seconds of one question by the clock on the wall."""
    memory: int = 1024**3
    """Bytes of address space of a worker."""
    waiting: int = 256
    """Questions in the queue; the next one is told to come back."""
    patience: float = 30.0
    """Seconds in the queue."""
    answers: int = 400
    """Worker processes are replaced after so many, so that nothing piles up in them."""
    grown: int = 300 * 1024**2
    """They are replaced earlier where they have grown to so many bytes."""
