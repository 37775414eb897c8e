"""The command check: derived gradients beside numbers that were found without deriving anything."""

from __future__ import annotations

import argparse
import inspect

from pullback.checking.check import check
from pullback.cli import python
from pullback.cli.program import parse, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_result
from pullback.languages import of_locale


def run(options: argparse.Namespace) -> int:
    """Check what is derived; 1 where a difference is found.

    Raises:
        PullbackError: As ``pullback.check`` does.
    """
    language = options.lang or of_locale()
    if python.is_place(options.program):
        request = read_request(options)
        source = python.load(options.program, language)
        backward = python.load(options.backward, language) if options.backward else None
        if backward is None and inspect.isfunction(source):
            backward = python.backward_beside(options.program)
        with python.option_hints():
            report = check(
                source,
                backward,
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
