"""The command check: the derived gradients beside finite differences; exit code 1 where they differ."""

from __future__ import annotations

import argparse

import pullback as pb
from pullback.cli.program import parse, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_result


def run(options: argparse.Namespace) -> int:
    """Check the derived gradients of a program and say how far they are off.

    Raises:
        PullbackError: As ``pullback.check`` does.
    """
    request = read_request(options)
    program = parse(request)
    report = pb.check(program, wrt=request.wrt or None, values=values_for(request, program) or None, seed=options.seed)
    write_result(str(report), options.output)
    return 0 if report else 1
