"""The command emit: a program with its backward pass as source of its own."""

from __future__ import annotations

import argparse

from pullback.cli.program import parse
from pullback.cli.request import read_request
from pullback.cli.writing import write_result


def run(options: argparse.Namespace) -> int:
    """Print the source, or write it to a file.

    Raises:
        PullbackError: As ``pullback.emit`` does.
    """
    from pullback.emission.command import emitted

    request = read_request(options)
    write_result(emitted(parse(request), options.target, tuple(request.wrt)).rstrip("\n"), options.output)
    return 0
