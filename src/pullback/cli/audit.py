"""The command audit: is a gradient given by hand right, and if not, which mistake is it?"""

from __future__ import annotations

import argparse
import inspect

from pullback.auditing.audit import audit
from pullback.cli import python
from pullback.cli.program import parse, values_for
from pullback.cli.request import read_request
from pullback.cli.writing import write_result
from pullback.errors import PullbackError
from pullback.languages import of_locale


def run(options: argparse.Namespace) -> int:
    """Judge the claims; 1 where one is wrong.

    Raises:
        PullbackError: As ``pullback.audit`` does, and where a claim has no ``=``.
    """
    language = options.lang or of_locale()
    claims = {}
    for claim in options.claim:
        name, equals, text = claim.partition("=")
        if not equals:
            raise PullbackError(f"--claim {claim!r} has no =", hint='write --claim "W = x g\'"')
        claims[name.strip()] = text.strip()
    request = read_request(options)
    if python.is_place(options.program):
        source = python.load(options.program, language)
        backward = python.load(options.backward, language) if options.backward else None
        if backward is None and not claims and inspect.isfunction(source):
            backward = python.backward_beside(options.program)
        with python.option_hints():
            report = audit(
                source, claims or backward, values=request.values or None, shapes=request.shapes or None, lang=language
            )
    else:
        if not claims:
            raise PullbackError("there is nothing to audit", hint='give a gradient: --claim "W = x g\'"')
        program = parse(request)
        report = audit(program, claims, values=values_for(request, program) or None, lang=language)
    write_result(str(report), options.output)
    return 0 if report else 1
