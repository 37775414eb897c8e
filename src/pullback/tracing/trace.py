"""``pb.trace``: a Python function written with arrays, read as a program by running it on stand-ins."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import pullback.tracing
from pullback.errors import NotationError, PullbackError, UnsupportedError
from pullback.lowering.given import read_shape
from pullback.syntax.names import normalise
from pullback.tracing.array import Array
from pullback.tracing.calling import line_of
from pullback.tracing.layer import first_of, is_fixed
from pullback.tracing.tape import Recording, TracedProgram, placed


def trace(
    function: Callable[..., Any], *examples: Any, shapes: Mapping[str, Any] | None = None, **more: Any
) -> TracedProgram:
    """Read a function written with NumPy, or with any array-API namespace, as a program.

    The function is run once on stand-ins for its arrays. What depends on values (a branch, an index, an
    assignment to entries) can't be seen this way and is refused by name.

    Args:
        function: The function; it takes arrays and gives one array (or a tuple, of which the first counts).
        examples: Example arguments in order; only their shapes matter.
        shapes: The shape of each argument by name: lengths, numbers or names; ``()`` is a scalar.
        more: The same, as keywords.

    Returns:
        A program, which ``derive``, ``backward``, ``check`` and ``audit`` take. Its steps have the names
        of the function's own variables.

    Raises:
        UnsupportedError: The function does something that is not read; the place is named.

    >>> import pullback as pb
    >>> def layer(W, x, b):
    ...     return W @ x + b
    >>> print(pb.backward(trace(layer, W=("m", "n"), x=("n",), b=("m",))))
    dL/dW = g x'
    dL/dx = W' g
    dL/db = g
    """
    import numpy as np

    given: dict[str, Any] = {**(shapes or {}), **more}
    fixed: dict[str, Any] = {}
    for name, example in zip(_parameters(function), examples, strict=False):
        if is_fixed(example):
            fixed[name] = example
        else:
            given[name] = np.shape(example)
    return trace_at(function, given, fixed)


def trace_at(function: Callable[..., Any], shapes: Mapping[str, Any], fixed: Mapping[str, Any]) -> TracedProgram:
    """Read a function at these shapes; ``fixed`` arguments (labels, options) are given to it as they are.

    Raises:
        NotationError: A shape is missing, or is of no argument.
        UnsupportedError: As ``trace`` does.
    """
    names = _parameters(function)
    recording = Recording()
    arguments: dict[str, Any] = {}
    for name in names:
        if name in fixed:
            arguments[name] = fixed[name]
            continue
        if name not in shapes:
            if _has_default(function, name):
                continue
            raise NotationError(f"{name} has no shape", hint=f'give it, such as {name}=("m", "n"), or () for a scalar')
        arguments[name] = Array(recording.input(name, read_shape(name, shapes[name])), recording, role="an argument")
    unknown = [name for name in shapes if name not in names]
    if unknown:
        raise NotationError(f"{unknown[0]} is not an argument", hint=f"the arguments are: {', '.join(names)}")
    inputs = {name: array.value for name, array in arguments.items() if name not in fixed}
    result, local = _run(function, arguments)
    result = first_of(result)
    if not isinstance(result, Array):
        raise UnsupportedError(
            f"{_name(function)} gives {type(result).__name__}, not an array made of its arguments",
            hint="return an array that depends on the arguments",
        )
    called = {id(a.value): n for n, a in local.items() if isinstance(a, Array)}
    title = f"{_name(function)}({', '.join(inputs)})"
    program = recording.program(result.value, title, called, _caller(function, list(inputs), fixed))
    program.leaves.extend((normalise(name), "") for name in inputs)
    return program


def _caller(
    function: Callable[..., Any], names: Sequence[str], fixed: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], Any]:
    def run(values: Mapping[str, Any]) -> Any:
        return first_of(function(**{name: values[normalise(name)] for name in names}, **fixed))

    return run


def _parameters(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise UnsupportedError(f"{_name(function)} has the parameter {parameter}, which has no name of its own")
    return [parameter.name for parameter in parameters]


def _has_default(function: Callable[..., Any], name: str) -> bool:
    return inspect.signature(function).parameters[name].default is not inspect.Parameter.empty


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _run(function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run a function; give its result and its own variables, and those of its helpers, as they were at return.

    Raises:
        UnsupportedError: The function fails on stand-ins; the place is named.
    """
    code = getattr(function, "__code__", None)
    home = code.co_filename if code is not None else ""
    local: dict[str, Any] = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_filename == home:
            found = {n: a for n, a in frame.f_locals.items() if isinstance(a, Array)}
            local.update(found if frame.f_code is code else {n: a for n, a in found.items() if n not in local})

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with placed(_here):
            result = function(**arguments)
    except PullbackError as error:
        place = _place(error, code)
        if place and place not in error.message:
            error.message = f"{error.message}, at {place}"
            error.args = (error.message,)
        raise
    except RecursionError:
        raise UnsupportedError(f"{_name(function)} calls itself without end") from None
    except Exception as error:
        place = _place(error, code)
        said = f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else 'no message'}"
        hint = ""
        if isinstance(error, TypeError | AttributeError | ValueError):
            hint = "keep to array operations; give the lengths as numbers where the function computes with them"
        if "sequence" in str(error):
            hint = "an array that numpy.zeros has made can't hold stand-ins: build it with numpy.stack"
        raise UnsupportedError(
            f"{_name(function)} can't be run on stand-ins for arrays: {said}" + (f", at {place}" if place else ""),
            hint=hint,
        ) from None
    finally:
        sys.setprofile(before)
    return result, local


def _place(error: BaseException, code: Any) -> str:
    """The line of the user's function that an error came through, or of a helper in the same file."""
    home = code.co_filename if code is not None else None
    at, found = error.__traceback__, ""
    while at is not None:
        if at.tb_frame.f_code.co_filename == home:
            found = line_of(at.tb_frame.f_code.co_filename, at.tb_lineno)
        at = at.tb_next
    return found


def _here() -> str:
    """The line of the function being read that makes a value: the first frame outside of pullback and NumPy."""
    frame: FrameType | None = sys._getframe(2)
    library = _folders()
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(library) and not file.startswith("<"):
            return line_of(file, frame.f_lineno)
        frame = frame.f_back
    return ""


def _folders() -> tuple[str, ...]:
    import numpy

    own = os.path.dirname(os.path.dirname(pullback.tracing.__file__))
    return own + os.sep, os.path.dirname(numpy.__file__) + os.sep
