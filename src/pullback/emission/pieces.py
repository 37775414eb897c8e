"""Parts that emitted Python files share: the docstring, the sizes with their assertions, the self-check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pullback.dimension import Dimension
from pullback.emission.subject import Shape, Subject


def say(axis: Dimension, sizes: Mapping[str, str]) -> str:
    """A dimension as Python source."""
    parts = []
    for monomial, coefficient in axis.terms:
        factors = [sizes[name] for name in monomial]
        if coefficient != 1 or not factors:
            factors.insert(0, str(coefficient))
        parts.append(" * ".join(factors))
    return " + ".join(parts) or "0"


def say_shape(shape: Shape, sizes: Mapping[str, str]) -> str:
    """A shape as Python source."""
    inner = ", ".join(say(axis, sizes) for axis in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def docstring(lines: Iterable[str], indent: str = "") -> list[str]:
    """Lines between triple quotes; backslashes and quotes are kept out of trouble."""
    safe = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    return [f'{indent}"""{safe[0]}', *(f"{indent}{line}".rstrip() for line in safe[1:]), f'{indent}"""']


def opening(subject: Subject, what: str) -> list[str]:
    """The head of a file."""
    shapes = [f"{name}: {say_shape(shape, subject.sizes)}" for name, shape in subject.inputs.items()]
    return docstring([what, "", *("    " + line for line in subject.closed), "", "Shapes: " + ", ".join(shapes)])


def size_lines(subject: Subject, names: Iterable[str] | None = None) -> list[str]:
    """Read the sizes off the inputs and assert that they agree."""
    lines: list[str] = []
    known: set[str] = set()
    asserted: list[str] = []
    for name, shape in subject.inputs.items():
        if names is not None and name not in names:
            continue
        for k, axis in enumerate(shape):
            if axis.name is not None and axis.name not in known:
                lines.append(f"{subject.sizes[axis.name]} = {name}.shape[{k}]")
                known.add(axis.name)
        asserted.append(name)
    for name in asserted:
        shape = subject.inputs[name]
        if all(set(axis.names) <= known for axis in shape):
            lines.append(f"assert {name}.shape == {say_shape(shape, subject.sizes)}, {name}.shape")
    return lines


def sample_sizes(subject: Subject) -> dict[str, int]:
    """Small different numbers for the self-check."""
    return {name: k + 3 for k, name in enumerate(sorted(subject.sizes))}


def sample_lines(subject: Subject) -> list[str]:
    """Draw inputs for the self-check, as NumPy source."""
    numbers = sample_sizes(subject)
    lines = ["rng = np.random.default_rng(0)"]
    for name, shape in subject.inputs.items():
        extent = tuple(axis.evaluate(numbers) for axis in shape)
        size = repr(extent)
        if name in subject.square:
            lines.append(f"{name} = rng.normal(size={size})")
            lines.append(f"{name} = {name} @ {name}.T / {extent[0]} + np.eye({extent[0]})")
        elif name in subject.positive:
            lines.append(f"{name} = rng.uniform(0.5, 2.0, size={size})")
        elif len(extent) == 2 and extent[0] == extent[1] and extent[0] > 1:
            lines.append(f"{name} = 0.3 * rng.normal(size={size}) + np.eye({extent[0]})")
        else:
            lines.append(f"{name} = np.asarray(rng.uniform(0.3, 1.3, size={size}))")
    return lines


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Lines one block further in."""
    return ["    " * depth + line if line else "" for line in lines]
