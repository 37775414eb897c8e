"""The command emit: a program with its backward pass as source of its own."""

from __future__ import annotations

import argparse

from pullback.cli.program import parse, tell, upstream_for, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_result


def run(options: argparse.Namespace) -> int:
    """Print the source, or write it to a file; values are what it checks itself on.

    Raises:
        PullbackError: As ``pullback.emit`` does.
    """
    from pullback.emission.emitting import emit_program, target_of

    target = target_of(options.target)
    request = read_request(options)
    program = parse(request)
    source = emit_program(
        program,
        options.target,
        list(request.wrt) or None,
        name=options.name,
        values=values_for(request, program),
        seed=upstream_for(request, program),
    )
    write_result(source, options.output)
    if options.output not in (None, "-") and target.run:
        tell(f"it checks itself: {target.run.format(file=options.output)}")
    return 0
