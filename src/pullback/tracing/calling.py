"""Calling what people wrote: where it fails, the failure is said with its place, and no traceback is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from pullback.errors import PullbackError, ValuesError

_LONGEST = 200


def called_safely(role: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the user's.

    Args:
        role: ``forward`` or ``backward``, for the message.
        function: The function.
        arguments: Its arguments.

    Raises:
        ValuesError: It raises something, which is said with its place.
    """
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except PullbackError:
        raise
    except RecursionError:
        raise ValuesError(f"the {role} pass calls itself without end") from None
    except (Exception, SystemExit) as error:
        shapes = ", ".join(_shape(argument) for argument in arguments)
        raise ValuesError(
            f"the {role} pass fails: {said(error)}", hint=f"it was called with arrays of shapes {shapes}"
        ) from None


def said(error: BaseException) -> str:
    """An error of foreign code on one line, with the place at which it was raised."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0][:_LONGEST]}" if lines else type(error).__name__
    place = place_of(error.__traceback__)
    return f"{text}, at {place}" if place else text


def place_of(trace: TracebackType | None) -> str:
    """The deepest line of a traceback that lies in no installed library and not in pullback."""
    found = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(("<", _OWN)) and f"{os.sep}site-packages{os.sep}" not in file:
            found = line_of(file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def line_of(file: str, line: int) -> str:
    """A line of a file, by its path from here where it lies below."""
    here = os.getcwd() + os.sep
    return f"{file.removeprefix(here)}:{line}"


def _shape(argument: Any) -> str:
    shape = getattr(argument, "shape", None)
    return str(tuple(shape)) if shape is not None else type(argument).__name__


_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep
