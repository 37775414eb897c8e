"""The command derive: the whole derivation, step by step."""

from __future__ import annotations

import argparse
from typing import Any

import pullback as pb
from pullback.cli.program import parse, upstream_for, values_for
from pullback.cli.request import read_request
from pullback.cli.style import wants_colour
from pullback.cli.writing import write_result
from pullback.errors import UnsupportedError
from pullback.languages import of_locale


def run(options: argparse.Namespace) -> int:
    """Derive and write the derivation in the format asked for.

    Raises:
        PullbackError: As ``pullback.derive`` does.
    """
    request = read_request(options)
    program = parse(request)
    choices: dict[str, Any] = {"structured": True} if options.structured else {}
    if options.layout != "denominator":
        raise UnsupportedError(
            "derive shows gradients, which have the shape of their variable in any layout",
            hint="--layout is for jacobian",
        )
    derivation = pb.derive(
        program,
        wrt=request.wrt or None,
        values=values_for(request, program) or None,
        upstream=upstream_for(request, program),
        lang=options.lang or of_locale(),
        method=options.method,
        **choices,
    )
    write_result(render(derivation, options.format, options.output), options.output)
    return 0


def render(derivation: pb.Derivation, style: str, output: str | None) -> str:
    """Write a derivation in one of the formats; only a terminal gets colour."""
    if style in ("terminal", "unicode"):
        import sys

        return derivation.terminal(colour=style == "terminal" and output is None and wants_colour(sys.stdout))
    if style == "json":
        return derivation.to_json()
    return str(getattr(derivation, style)())
