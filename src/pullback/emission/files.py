"""Parts that emitted Python files share: the docstring, the sizes with their assertions, which lines need which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pullback.dimension import Dimension
from pullback.emission.drafting import Drawn
from pullback.emission.subject import Shape
from pullback.spelling.dialects import Dialect
from pullback.spelling.speller import Line, Speller

WIDTH = 110


def say(axis: Dimension, sizes: Mapping[str, str]) -> str:
    """A dimension as source."""
    parts = []
    for monomial, coefficient in axis.terms:
        factors = [sizes[name] for name in monomial]
        if coefficient != 1 or not factors:
            factors.insert(0, str(coefficient))
        parts.append(" * ".join(factors))
    return " + ".join(parts).replace("+ -", "- ") or "0"


def say_shape(shape: Shape, sizes: Mapping[str, str]) -> str:
    """A shape as source."""
    inner = ", ".join(say(axis, sizes) for axis in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def docstring(lines: Iterable[str]) -> list[str]:
    """Lines between triple quotes; backslashes and quotes are kept out of trouble."""
    safe = [line.replace("\\", "\\\\").replace('"""', "'''").rstrip() for line in lines]
    if len(safe) == 1:
        return [f'"""{safe[0]}"""']
    return [f'"""{safe[0]}', *safe[1:], '"""']


def wrapped(words: Sequence[str], first: str, indent: str = "") -> list[str]:
    """Words after one another, in lines that are not too long."""
    lines = [first]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append(indent + word)
        else:
            lines[-1] += f" {word}"
    return lines


def head(drawn: Drawn, needs: str, check: str) -> list[str]:
    """What a file says first: what it is, the closed form, the shapes, how it checks itself."""
    subject = drawn.subject
    title = f"{drawn.name}: a closed form, derived by pullback."
    if subject.has_backward:
        title = f"{drawn.name}: a program and its backward pass, derived by pullback."
    lines = [title, "", *("    " + line for line in subject.stated)]
    lines += [""] if subject.stated else []
    lines += [*("    " + line for line in subject.derived if line not in subject.stated), ""]
    given = subject.upstream
    if given is not None and drawn.upstream in drawn.inputs:
        output = f"d{subject.output}" if subject.program is not None and subject.program.output.name else "d(output)"
        lines.append(f"{given.name} is dL/{output}, the gradient that comes from above.")
    shown = [
        f"{name} {say_shape(shape, drawn.sizes)}" if shape else f"{name} scalar" for name, shape in drawn.inputs.items()
    ]
    lines += wrapped([f"{one}," for one in shown[:-1]] + [f"{one}." for one in shown[-1:]], "Shapes:") if shown else []
    renamed = [
        f"{own} is {entry.name}"
        for key, entry in subject.task.inputs.items()
        if (own := drawn.names[key]) != entry.name
    ]
    lines += (
        wrapped([f"{one}," for one in renamed[:-1]] + [f"{one}." for one in renamed[-1:]], "Names:") if renamed else []
    )
    return [*lines, f"{needs} {check}"]


def size_lines(
    drawn: Drawn, inputs: Sequence[str], needed: Collection[str], module: str, asserted: bool = True
) -> list[str]:
    """Read sizes off the inputs; ``asserted``, check that all shapes agree."""
    lines: list[str] = []
    known = set(drawn.loose)
    checks: list[str] = []
    for name in inputs:
        shape = drawn.inputs[name]
        own = [drawn.sizes[axis.name] if axis.name is not None else None for axis in shape]
        fresh = [size for size in own if size is not None and size not in known and (asserted or size in needed)]
        unpacked = len(shape) > 1 and len(set(fresh)) == len(shape)
        if unpacked:
            lines.append(f"{', '.join(fresh)} = {name}.shape")
        else:
            lines += [f"{size} = {name}.shape[{own.index(size)}]" for size in dict.fromkeys(fresh)]
        known |= set(fresh)
        if asserted and not (unpacked or (len(shape) == 1 and fresh and module == "")):
            checks.append(name)
    if asserted:
        lines += [line for name in checks for line in _assertion(drawn, name, known, module)]
    return lines


def _assertion(drawn: Drawn, name: str, known: Collection[str], module: str) -> list[str]:
    shape = drawn.inputs[name]
    if not all(drawn.sizes[n] in known for axis in shape for n in axis.names):
        return []
    said = say_shape(shape, drawn.sizes)
    found = f"{module}.shape({name})" if not shape and module in ("np", "jnp") else f"{name}.shape"
    if not shape:
        return [f'assert {found} == (), f"{name} is {{{_as_tuple(found, module)}}}, not a scalar"']
    wanted = f"{{{said}}}" if any(axis.names for axis in shape) else said
    return [f'assert {found} == {said}, f"{name} is {{{_as_tuple(found, module)}}}, not {wanted}"']


def _as_tuple(found: str, module: str) -> str:
    return f"tuple({found})" if module == "torch" else found


def spelled(drawn: Drawn, dialect: Dialect) -> list[Line]:
    """All lines of the plan, the results assigned to their names."""
    names = {key: drawn.names[key] for key in drawn.plan.inputs}
    taken = {*drawn.reserved, *drawn.sizes.values(), *drawn.inputs}
    like = next((name for name in drawn.layer_inputs if drawn.inputs[name]), next(iter(drawn.layer_inputs), ""))
    return Speller(drawn.plan, dialect, names, list(drawn.results), drawn.wanted, drawn.forced, taken, like).spell()


def closure(lines: Sequence[Line], wanted: Iterable[str], given: Collection[str] = ()) -> list[Line]:
    """The lines that names need, in order; what is ``given`` needs none."""
    needed = set(wanted)
    kept: list[Line] = []
    for line in reversed(lines):
        if line.name in needed and line.name not in given:
            kept.append(line)
            needed |= line.uses
    return kept[::-1]


def used(lines: Iterable[Line]) -> set[str]:
    """All names that lines use."""
    return {name for line in lines for name in line.uses}


def title(drawn: Drawn) -> str:
    """What a function computes, in a line."""
    stated = "; ".join(drawn.subject.stated)
    short = len(stated) <= 88 and "\\" not in stated and '"' not in stated
    return f"{stated}, with its derived backward pass." if short else "The program, with its derived backward pass."


def kept_inputs(drawn: Drawn, backward: Sequence[Line]) -> tuple[list[str], set[str]]:
    """The inputs that the backward pass needs, if only for a size; and the sizes that it needs."""
    asked = used(backward)
    sizes = {size for size in drawn.sizes.values() if size in asked}
    saved = [name for name in drawn.layer_inputs if name in asked]
    said = {drawn.sizes[axis.name] for name in saved for axis in drawn.inputs[name] if axis.name is not None}
    for size in sorted(sizes - said - set(drawn.loose)):
        speaks = [
            n
            for n in drawn.layer_inputs
            if any(axis.name and drawn.sizes[axis.name] == size for axis in drawn.inputs[n])
        ]
        saved += [name for name in speaks[:1] if name not in saved]
    return [name for name in drawn.layer_inputs if name in saved], sizes


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Lines one block further in."""
    return ["    " * depth + line if line else "" for line in lines]


def joined(names: Sequence[str], last: str = "and") -> str:
    """Names as a person lists them."""
    return ", ".join(names[:-1]) + f" {last} " + names[-1] if len(names) > 1 else "".join(names)


def as_tuple(names: Sequence[str]) -> str:
    """Names as a tuple without parentheses."""
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)
