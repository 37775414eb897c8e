"""The command check: derived gradients beside numbers that were found without deriving anything."""

from __future__ import annotations

import argparse

from pullback.checking.check import check
from pullback.cli.program import parse, tell, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_result
from pullback.languages import of_locale


def run(options: argparse.Namespace) -> int:
    """Check what is derived; 1 where a difference is found.

    Raises:
        PullbackError: As ``pullback.check`` does.
    """
    language = options.lang or of_locale()
    if ".py:" in options.program:
        from pullback.checking.words import say
        from pullback.tracing.read import load

        tell(say(language, "audit.runs", file=options.program.rpartition(":")[0]))
        request = read_request(options)
        report = check(
            load(options.program),
            wrt=request.wrt or None,
            shapes=request.shapes or None,
            values=request.values or None,
            lang=language,
        )
    else:
        request = read_request(options)
        program = parse(request)
        report = check(
            program, wrt=request.wrt or None, values=values_for(request, program) or None, lang=language, order=2
        )
    write_result(str(report), options.output)
    return 0 if report else 1
