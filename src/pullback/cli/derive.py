"""The command derive: the whole derivation, step by step."""

from __future__ import annotations

import argparse

import pullback as pb
from pullback.cli.program import parse, upstream_for, values_for
from pullback.cli.request import read_request
from pullback.cli.style import wants_colour
from pullback.cli.writing import write_result
from pullback.errors import PullbackError
from pullback.languages import of_locale


def run(options: argparse.Namespace) -> int:
    """Derive and write the derivation in the format asked for.

    Raises:
        PullbackError: As ``pullback.derive`` does.
    """
    _refused(options)
    request = read_request(options)
    program = parse(request)
    derivation = pb.derive(
        program,
        wrt=request.wrt or None,
        values=values_for(request, program) or None,
        upstream=upstream_for(request, program),
        lang=options.lang or of_locale(),
        method=options.method,
        structured=options.structured,
        want=options.want,
        layout=options.layout,
    )
    text = render(derivation, options.format, options.detail, options.document, options.output)
    write_result(text, options.output)
    return 0


def render(derivation: pb.Derivation, style: str, detail: str, document: bool, output: str | None) -> str:
    """Write a derivation in one of the formats; only a terminal gets colour."""
    if style in ("terminal", "unicode"):
        import sys

        colour = style == "terminal" and output is None and wants_colour(sys.stdout)
        return derivation.terminal(colour=colour, detail=detail)
    if style == "json":
        return derivation.to_json()
    if style == "latex":
        return derivation.latex(document, detail)
    return str(getattr(derivation, style)(detail))


def _refused(options: argparse.Namespace) -> None:
    """Refuse options that don't fit together before anything is derived."""
    if options.document and options.format != "latex":
        raise PullbackError("--document is a kind of LaTeX", hint="add --format latex")
    if options.format in ("svg", "png"):
        raise PullbackError(
            f"{options.format} is a picture of a single formula, not of a derivation",
            hint="pullback gradient … --wrt x --format svg; for a derivation, html or latex",
        )
