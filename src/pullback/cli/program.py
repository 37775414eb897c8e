"""From what the options ask for to a parsed program with values that fit it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pullback as pb
from pullback.cli.request import Request
from pullback.errors import PullbackError
from pullback.lowering.given import refuse_stranger
from pullback.syntax.names import normalise

if TYPE_CHECKING:
    from pullback.values.files import Array


def parse(request: Request) -> pb.Program:
    """Parse the program of a request.

    Raises:
        PullbackError: As ``pullback.parse`` does.
    """
    from pullback.cli import python

    if python.is_place(request.text):
        return python.read(request)
    lifted: dict[str, Any] = {} if request.batch is None else {"batch": request.batch}
    program = pb.parse(request.text, shapes=request.shapes, assume=request.assume, **lifted)
    known = {**program.inputs, **{s.name: s for s in program.statements if s.name is not None}}
    for name in (*request.shapes, *request.assume):
        if normalise(name) not in known:
            refuse_stranger(name, known, request.text)
    return program


def inputs_by(request: Request, program: pb.Program) -> tuple[str, ...]:
    """Give the inputs to derive by, as they are written: those asked for, or all that are not constant.

    Raises:
        PullbackError: What is asked for is no input, or the program has none.
    """
    if request.wrt:
        return tuple(program.input(name).name for name in request.wrt)
    names = tuple(entry.name for entry in program.inputs.values() if "constant" not in entry.properties)
    if not names:
        raise PullbackError(
            "the program has no inputs to derive by", source=request.text, hint="use a variable, as in x' x"
        )
    return names


def values_for(request: Request, program: pb.Program) -> dict[str, Array | int]:
    """Give the values of a request as the program needs them.

    A table of one row or one column is a vector where the program has one; a whole number for what is no
    input is the size of a dimension. What does not fit is left to the engine, which says so.
    """
    if not request.values:
        return {}
    from pullback.values import fit

    inputs = {name: len(entry.shape) for name, entry in program.inputs.items()}
    lengths = {length for entry in program.inputs.values() for axis in entry.shape for length in axis.names}
    values: dict[str, Array | int] = {name: array for name, array in getattr(program, "state", {}).items()}
    for name, array in request.values.items():
        axes = inputs.get(normalise(name))
        if axes is not None:
            values[name] = fit(array, axes)
        else:
            values[name] = int(array) if name in lengths and array.ndim == 0 and array == array.round() else array
    return values


def upstream_for(request: Request, program: pb.Program) -> Array | None:
    """Give the value of the upstream gradient in the shape of the output, if there is one."""
    if request.upstream is None:
        return None
    from pullback.values import fit

    return fit(request.upstream, len(program.output.shape))


def tell(text: str) -> None:
    """Say something to people, beside the result."""
    print(text, file=sys.stderr)
