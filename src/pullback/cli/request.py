"""What the shared options ask for, read into plain data: text, shapes, properties, values."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pullback.errors import NotationError, Place, PullbackError, ShapeError, Span, ValuesError

if TYPE_CHECKING:
    from pullback.values.files import Array

LARGEST_PROGRAM = 1024 * 1024
_STDIN = "-"


@dataclass(slots=True)
class Request:
    """A program with all that was said about it."""

    text: str
    wrt: tuple[str, ...] = ()
    shapes: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    assume: dict[str, str] = field(default_factory=dict)
    values: dict[str, Array] = field(default_factory=dict)
    upstream: Array | None = None
    batch: int | str | None = None


def read_request(options: argparse.Namespace) -> Request:
    """Read the program and the shared options.

    NumPy is loaded only if a value is given.

    Raises:
        NotationError: A program that is no text.
        ShapeError: A ``--shape`` that is none.
        ValuesError: A value that can't be read.
        PullbackError: A file that can't be read, an option without its ``=``, a name given twice.
    """
    return Request(
        text=read_program(options.program),
        wrt=tuple(dict.fromkeys(name.strip() for given in options.wrt for name in given.split(",") if name.strip())),
        shapes={name: _shape(name, text) for name, text in _pairs(options.shape, "--shape", "W=2,3").items()},
        assume=_properties(options.assume),
        values=_values(options.value),
        upstream=None if options.upstream is None else _read_array(options.upstream, "--upstream", "g"),
        batch=None if options.batch is None else _dimension(options.batch, "--batch"),
    )


def read_program(argument: str) -> str:
    """Read a program: the argument itself, ``@file``, or ``-`` for standard input.

    Raises:
        NotationError: It is no text, or longer than a program ever is.
        PullbackError: A file that can't be read.
    """
    if argument.strip() == _STDIN:
        return _decode(sys.stdin.buffer.read(LARGEST_PROGRAM + 1), "standard input")
    if argument.startswith("@"):
        return _decode(_read_file(Path(argument[1:])), argument[1:])
    text = argument[1:] if argument.startswith(" -") else argument
    return _decode(text.encode("utf-8", "surrogateescape"), "the program")


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_PROGRAM + 1)
    except FileNotFoundError:
        raise PullbackError(f"no file {path}", hint="check the name; a program itself is given without @") from None
    except IsADirectoryError:
        raise PullbackError(f"{path} is a folder, not a file", hint="name the file with the program") from None
    except (OSError, ValueError) as error:
        raise PullbackError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None


def _decode(data: bytes, where: str) -> str:
    if len(data) > LARGEST_PROGRAM:
        raise NotationError(
            f"{where} is longer than {LARGEST_PROGRAM // 1024} kB",
            hint="a program is the mathematics alone; give data with --value NAME=file.npy",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _binary(data, error.start, where) from None
    if "\0" in text:
        raise _binary(data, data.index(0), where)
    return text.replace("\r\n", "\n")


def _binary(data: bytes, offset: int, where: str) -> NotationError:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    return NotationError(
        f"{where} is not text: byte 0x{data[offset]:02x} at line {line}, column {column}",
        hint="a program is UTF-8 text, such as y = W x",
    )


def _pairs(given: Sequence[str], option: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise PullbackError(f"{option} {text[:60]!r} is not of the form NAME=…", hint=f"write {option} {example}")
        if name in pairs:
            raise PullbackError(f"{option} is given twice for {name}", hint="leave one of them")
        pairs[name] = value
    return pairs


def _shape(name: str, text: str) -> tuple[int | str, ...]:
    inner = text.strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    if inner.strip() in ("", "scalar"):
        return ()
    parts = inner.split(",")
    if len(parts) > 1 and not parts[-1].strip():
        parts = parts[:-1]
    return tuple(_dimension(part, f"--shape {name}", text) for part in parts)


def _dimension(text: str, option: str, whole: str | None = None) -> int | str:
    word = text.strip()
    if word.isidentifier():
        return word
    if word.isascii() and word.isdigit() and 0 < int(word[:20]) < 2**63:
        return int(word)
    whole = text if whole is None else whole
    start = whole.find(word)
    raise ShapeError(
        f"{option}: {word[:40]!r} is not a dimension",
        source=whole,
        places=(Place(Span(start, start + max(1, len(word)))),),
        hint="a dimension is a positive whole number or a name, as in W=2,3 or W=m,n",
    )


def _properties(given: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for text in given:
        for name, value in _pairs([text], "--assume", "A=symmetric").items():
            words = " ".join(value.replace(",", " ").split())
            if not words:
                raise PullbackError(f"--assume {name}= names no property", hint="write --assume A=symmetric")
            said[name] = f"{said[name]} {words}" if name in said else words
    return said


def _values(given: Sequence[str]) -> dict[str, Array]:
    pairs = _pairs(given, "--value", 'W="1 2 3; 4 5 6"')
    return {name: _read_array(text, f"--value {name}", name) for name, text in pairs.items()}


def _read_array(text: str, option: str, name: str) -> Array:
    from pullback.values import notices, read_value

    if "\0" in text:
        raise ValuesError(f"{option}: there is a zero byte in it")
    array = read_value(text, option)
    for notice in notices(name, array):
        print(f"note: {notice}", file=sys.stderr)
    return array
