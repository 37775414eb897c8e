"""From the arguments of the process to its exit code: 0 done, 1 a difference was found, 2 bad input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from pullback.cli.arguments import HANDLERS, read_arguments
from pullback.cli.style import paint
from pullback.errors import PullbackError

DONE = 0
BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

_NEW_ISSUE = "this is a fault of pullback, not of the input; PULLBACK_DEBUG=1 shows where it happened"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process.

    Args:
        arguments: What stands after the program's name; by default those of the process.
    """
    _write_any_character(sys.stdout)
    _write_any_character(sys.stderr)
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _leave_pipe()
        return BROKEN_PIPE


def _run(arguments: Sequence[str]) -> int:
    try:
        options = read_arguments(arguments)
        module, _, function = HANDLERS[options.command].partition(":")
        return int(getattr(import_module(module), function)(options))
    except PullbackError as error:
        _complain(str(error))
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE
    except OSError as error:
        _complain(f"{error.filename or 'input or output'}: {error.strerror or error}")
    except MemoryError:
        _complain("this needs more memory than there is")
    except Exception as error:
        if os.environ.get("PULLBACK_DEBUG"):
            raise
        _complain(f"internal error: {type(error).__name__}: {str(error)[:200]}\nhint: {_NEW_ISSUE}")
    return BAD_INPUT


def _complain(text: str) -> None:
    print(f"{paint('error:', 'red', sys.stderr)} {text}", file=sys.stderr)


def _write_any_character(stream: TextIO) -> None:
    """Let a terminal that can't show a character show its code, rather than fail."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _leave_pipe() -> None:
    """Keep the interpreter from complaining about the closed pipe when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
