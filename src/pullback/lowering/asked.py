"""What a derivative is asked for: by which inputs, and what the upstream gradient is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pullback.errors import NotationError
from pullback.lowering.calls import AXES
from pullback.lowering.given import kind
from pullback.lowering.program import Input, Program
from pullback.operations.table import FUNCTIONS
from pullback.syntax.names import normalise
from pullback.syntax.tokens import is_name

Names = str | Sequence[str] | None
_UPSTREAM_NAMES = ("g", "dy", "g_out", "upstream", "upstream1", *(f"upstream_{k}" for k in range(2, 20)))


def chosen(program: Program, wrt: Names) -> list[str]:
    """The normalised names to differentiate by; all inputs that are no constants where none is named."""
    if wrt is None:
        names = [name for name, entry in program.inputs.items() if "constant" not in entry.properties]
        if not names:
            raise NotationError("the program has no inputs to differentiate by", source=program.source)
        return names
    return list(dict.fromkeys(normalise(program.input(name).name) for name in _names(program, wrt)))


def _names(program: Program, wrt: object) -> list[str]:
    """The names that are asked for, one or several."""
    hint = f"the inputs are: {', '.join(entry.name for entry in program.inputs.values()) or 'none'}"
    names: list[str] = []
    for name in [wrt] if isinstance(wrt, str | bytes) or not isinstance(wrt, Iterable) else list(wrt):
        if not isinstance(name, str):
            message = f"wrt is the name of an input, or several, not {kind(name)}"
            raise NotationError(message, source=program.source, hint=hint)
        names.append(name)
    if not names:
        raise NotationError("wrt names no input", source=program.source, hint=f"leave it out for all; {hint}")
    return names


def only(program: Program, wrt: object) -> str:
    """The one input to differentiate by."""
    names = chosen(program, None) if wrt is None else chosen(program, _names(program, wrt))
    if len(names) == 1:
        return names[0]
    spelled = ", ".join(program.inputs[name].name for name in names)
    message = "say by which input to differentiate:" if wrt is None else "this is by one input, not by"
    first = program.inputs[names[0]].name
    raise NotationError(f"{message} {spelled}", source=program.source, hint=f'for example wrt="{first}"')


def pair(program: Program, wrt: object) -> tuple[str, str]:
    """The two inputs of a Hessian, which may be one."""
    if wrt is None or isinstance(wrt, str):
        left = right = only(program, wrt)
        return left, right
    names = _names(program, wrt)
    if len(names) > 2:
        message = f"a Hessian is by one or two inputs, not by {len(names)}"
        raise NotationError(message, source=program.source, hint=f'for example wrt=("{names[0]}", "{names[1]}")')
    return only(program, names[0]), only(program, names[-1])


def upstream_input(program: Program, upstream: str) -> Input:
    """The input that stands for the gradient of the output."""
    name = normalise(_as_name(upstream, program))
    bound = {normalise(s.name) for s in program.statements if s.name is not None}
    if name in program.inputs or name in bound or name in _functions(program):
        message = f"the upstream gradient can't be called {upstream}: the program has that name"
        hint = f'choose another, such as upstream="{free_name(program)}"'
        raise NotationError(message, source=program.source, hint=hint)
    return Input(upstream, program.output.shape, frozenset())


def _as_name(upstream: object, program: Program) -> str:
    """Refuse what can't be the name of the upstream gradient in the notation."""
    if not isinstance(upstream, str) or not is_name(upstream):
        problem = f"{upstream!r} is no name" if isinstance(upstream, str) else f"it is a name, not {kind(upstream)}"
    elif normalise(upstream) in FUNCTIONS or upstream in AXES:
        problem = f"{upstream} is a word of the notation"
    elif upstream in _lengths(program):
        problem = f"{upstream} is a dimension of the program"
    else:
        return upstream
    hint = f'choose another, such as upstream="{free_name(program)}"'
    raise NotationError(f"upstream is what the gradient of the output is called, and {problem}", hint=hint)


def _lengths(program: Program) -> set[str]:
    """The dimension names of a program."""
    shapes = [statement.shape for statement in program.statements]
    shapes += [entry.shape for entry in program.inputs.values()]
    return {name for shape in shapes for axis in shape for name in axis.names}


def _functions(program: Program) -> set[str]:
    """The functions that are declared by name only."""
    return {d.name for d in program.syntax.declarations if "entrywise" in d.properties}


def free_name(program: Program, *wanted: str) -> str:
    """A name for the upstream gradient that the program does not use: the first of those wanted, if one does."""
    taken = {
        *program.inputs,
        *(normalise(s.name) for s in program.statements if s.name),
        *_lengths(program),
    } | _functions(program)
    return next(name for name in (*wanted, *_UPSTREAM_NAMES) if name not in taken)
