"""Programs that are Python: ``my_layer.py:forward`` names something in a file, which is run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pullback as pb
from pullback.cli.request import Request
from pullback.errors import NotationError, ValuesError
from pullback.tracing.read import loaded

_PLACE = re.compile(r"^[^\n;]+\.py:[A-Za-z_][\w.]*$")
_PAIRED = (("forward", "backward"), ("_fwd", "_bwd"), ("fwd", "bwd"))


def is_place(text: str) -> bool:
    """Whether a program is a name in a Python file.

    >>> is_place("my_layer.py:forward"), is_place("y = W x")
    (True, False)
    """
    return _PLACE.match(text.strip()) is not None


def load(place: str, language: str | None = None) -> Any:
    """Run a file, which is said, and give what the name stands for; a class that takes nothing is made.

    Raises:
        PullbackError: As ``pullback.tracing.read.load`` does.
    """
    from pullback.checking.words import say
    from pullback.cli.program import tell
    from pullback.languages import of_locale
    from pullback.tracing import read

    tell(say(language or of_locale(), "audit.runs", file=place.strip().rpartition(":")[0]))
    found = read.load(place.strip())
    return found() if _can_be_made(found) else found


def _can_be_made(thing: Any) -> bool:
    """Whether it is a class of layers whose constructor needs no arguments."""
    if not inspect.isclass(thing) or hasattr(thing, "setup_context"):
        return False
    needed = [p for p in inspect.signature(thing).parameters.values() if p.default is p.empty]
    return not [p for p in needed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def backward_beside(place: str) -> Any:
    """The backward pass that stands beside a forward pass in a file that has been run, by its name; else None."""
    path, _, name = place.strip().rpartition(":")
    module = loaded(path)
    for first, second in _PAIRED:
        if first in name:
            return getattr(module, name.replace(first, second), None)
    return getattr(module, f"{name}_backward", getattr(module, f"{name}_vjp", None))


def read(request: Request, language: str | None = None) -> pb.Program:
    """Read what a name in a file stands for as a program.

    Raises:
        PullbackError: It can't be read, or its shapes are not known.
    """
    from pullback.tracing.read import read_program

    found = load(request.text, language)
    if isinstance(found, pb.Program):
        return found
    with option_hints():
        return read_program(found, request.values or None, request.shapes or None)


@contextmanager
def option_hints() -> Iterator[None]:
    """Say what would mend it on the command line, where a message is of the Python interface."""
    try:
        yield
    except (NotationError, ValuesError) as error:
        name = error.message.partition(" ")[0]
        if error.message.endswith("has no shape"):
            error.hint = f"give it: --shape {name}=m,n or --value {name}=…"
        elif error.message == "example values are needed":
            error.hint = "give the shapes or the values of its arguments: --shape x=4,3 or --value x=…"
        raise
