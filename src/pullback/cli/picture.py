"""The command picture: graphs, patterns, heat maps and tensor networks as SVG or PNG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pullback as pb
from pullback.cli.program import parse, upstream_for, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_file, write_result


def run(options: argparse.Namespace) -> int:
    """Write SVG to standard output or a file, PNG to a file whose name ends so.

    Raises:
        PullbackError: As ``pullback.picture`` does.
    """
    request = read_request(options)
    program = parse(request)
    drawn = pb.picture(
        program,
        options.kind,
        wrt=next(iter(request.wrt), None),
        values=values_for(request, program) or None,
        upstream=upstream_for(request, program),
    )
    if options.output is not None and Path(options.output).suffix.lower() == ".png":
        write_file(Path(options.output), drawn.png())
        print(f"wrote {options.output}", file=sys.stderr)
    else:
        write_result(str(drawn), options.output)
    return 0
