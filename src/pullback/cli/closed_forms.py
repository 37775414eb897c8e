"""The commands gradient, jacobian, hessian and backward: the closed form alone, so that it can be piped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pullback as pb
from pullback.cli.program import inputs_by, parse, tell, upstream_for, values_for
from pullback.cli.render import Result, as_json, as_text, labelled_text
from pullback.cli.request import Request, read_request
from pullback.cli.writing import write_file, write_result
from pullback.errors import PullbackError

DONE = 0
_UPSTREAM = "g"
_CHOICES = {
    "--structured": ("gradient",),
    "--layout": ("jacobian",),
    "--form": ("jacobian", "hessian"),
}
"""Which commands an option that changes the result belongs to."""


def run(options: argparse.Namespace) -> int:
    """Derive what the command asks for and print it.

    Raises:
        PullbackError: As the functions of the same names in ``pullback`` do.
    """
    choices = _choices(options)
    request = read_request(options)
    program = parse(request)
    derived = _DERIVE[options.command](program, request, choices)
    letter = "y" if options.command == "jacobian" else "L"
    results = [Result(names, letter, expression) for names, expression in derived.items()]
    _evaluate(results, request, program, options.command)
    labelled = len(results) > 1 or (options.command == "backward" and not request.wrt)
    if options.format in PICTURES:
        _draw(results, options)
        return DONE
    if options.format == "json":
        text = as_json(options.command, request.text, results)
    elif labelled:
        text = labelled_text(results, options.format)
    else:
        text = as_text(results[0], options.format)
    write_result(text, options.output)
    for result in results:
        if result.value is not None and options.format != "json":
            tell(f"{result.label} = {_numbers(result.value)}")
    return DONE


PICTURES = ("svg", "png")


def _draw(results: list[Result], options: argparse.Namespace) -> None:
    """Write a picture of the closed form."""
    if len(results) > 1:
        names = ", ".join(result.wrt[0] for result in results)
        raise PullbackError(
            f"a picture is of a single formula, and these are {len(results)}: {names}",
            hint=f"name one with --wrt {results[0].wrt[0]}",
        )
    expression = results[0].expression
    if options.format == "svg":
        write_result(expression.svg(), options.output)
    elif options.output is None or options.output == "-":
        if sys.stdout.isatty():
            raise PullbackError("a PNG image is nothing to show on a terminal", hint="write it with --output FILE.png")
        sys.stdout.buffer.write(expression.png())
        sys.stdout.flush()
    else:
        write_file(Path(options.output), expression.png())
        tell(f"wrote {options.output}")


_Derived = dict[tuple[str, ...], pb.Expression]


def _choices(options: argparse.Namespace) -> dict[str, Any]:
    """The options that change the result, refused where the command has no use for them."""
    chosen: dict[str, Any] = {}
    if options.structured:
        chosen["structured"] = True
    if options.layout != "denominator":
        chosen["layout"] = options.layout
    if getattr(options, "form", "entries") != "entries":
        chosen["form"] = options.form
    for name in chosen:
        owners = _CHOICES[f"--{name}"]
        if options.command not in owners:
            changes = f"it changes what {' and '.join(owners)} prints"
            raise PullbackError(f"--{name} is not for {options.command}", hint=changes)
    return chosen


def _gradient(program: pb.Program, request: Request, choices: dict[str, Any]) -> _Derived:
    found = pb.gradient(program, wrt=inputs_by(request, program), **choices)
    return {(name,): expression for name, expression in found.items()}


def _jacobian(program: pb.Program, request: Request, choices: dict[str, Any]) -> _Derived:
    return {(name,): pb.jacobian(program, wrt=name, **choices) for name in inputs_by(request, program)}


def _hessian(program: pb.Program, request: Request, choices: dict[str, Any]) -> _Derived:
    names = inputs_by(request, program)
    if not request.wrt and len(names) > 1:
        raise PullbackError(
            f"the program has {len(names)} inputs: {', '.join(names)}",
            hint=f"name one with --wrt {names[0]}, or two for a mixed Hessian with --wrt {names[0]},{names[1]}",
        )
    if len(names) > 2:
        raise PullbackError(
            f"a Hessian is by one or two inputs, not by {len(names)}", hint="name one or two with --wrt"
        )
    return {names: pb.hessian(program, wrt=names[0] if len(names) == 1 else (names[0], names[1]), **choices)}


def _backward(program: pb.Program, request: Request, choices: dict[str, Any]) -> _Derived:
    found = pb.backward(program, wrt=request.wrt or None, upstream=_UPSTREAM, **choices)
    return {(name,): expression for name, expression in found.items()}


_DERIVE = {"gradient": _gradient, "jacobian": _jacobian, "hessian": _hessian, "backward": _backward}


def _evaluate(results: list[Result], request: Request, program: pb.Program, command: str) -> None:
    """Put numbers to the results where values are given."""
    values: dict[str, Any] = dict(values_for(request, program))
    upstream = upstream_for(request, program)
    if upstream is not None:
        if command != "backward":
            raise PullbackError(f"--upstream is for backward and derive, not for {command}", hint="leave it out")
        values[_UPSTREAM] = upstream
    if values:
        for result in results:
            result.value = result.expression.evaluate(values)


def _numbers(value: Any) -> str:
    """Write an array as ``--value`` reads it; long ones are cut."""
    if value.ndim == 0:
        return f"{float(value):.10g}"
    if value.ndim > 2 or value.size > 400:
        return f"an array {' x '.join(map(str, value.shape))}; --format json gives its entries"
    rows = value.reshape(-1, value.shape[-1]).tolist()
    return f"[{'; '.join(' '.join(f'{entry:.10g}' for entry in row) for row in rows)}]"
