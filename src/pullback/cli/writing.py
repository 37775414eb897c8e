"""Results go to standard output, or whole to a file; what is meant for people goes to standard error."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

from pullback.errors import PullbackError

_STREAMS = ("/dev", "/dev/fd", "/proc/self/fd")
"""Folders whose files are this process's own streams, whatever they lead to."""


def write_result(text: str, output: str | None) -> None:
    """Write a result, ending in one line end.

    A file is written beside its place and then moved there, so that it is whole or not there at all.

    Raises:
        PullbackError: A file that can't be written.
    """
    text = text if text.endswith("\n") else text + "\n"
    if output is None or output == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_file(Path(output), text.encode("utf-8", "surrogateescape"))
    print(f"wrote {output}", file=sys.stderr)


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        PullbackError: With the path and the reason.
    """
    try:
        if str(path.parent) in _STREAMS:
            _append(path, data)
            return
        if path.is_dir():
            raise PullbackError(f"{path} is a folder, not a file", hint="name a file in it")
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            _append(path, data)
            return
        _replace(path.resolve(), data)
    except BrokenPipeError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        if not path.parent.is_dir():
            reason = f"there is no folder {path.parent}"
        raise PullbackError(f"{path} can't be written: {reason}") from None


def _append(path: Path, data: bytes) -> None:
    """Write to what is no regular file, such as a pipe, where it stands."""
    with path.open("ab", buffering=0) as file:
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path: Path) -> int:
    """The permissions that the file has, or that a new one would get."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
