"""A ``jax.custom_vjp`` pair: values of the forward pass go to the backward one."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.emission.checks import jax_check
from pullback.emission.comments import comments, written
from pullback.emission.drafting import Drawn
from pullback.emission.files import closure, docstring, head, indented, kept_inputs, size_lines, spelled, title, used
from pullback.emission.numpy_file import says
from pullback.spelling.definitions import needed
from pullback.spelling.dialects import JAX
from pullback.spelling.speller import Line


def jax_source(drawn: Drawn) -> str:
    """A function with its backward pass, or a closed form as a plain function."""
    lines = spelled(drawn, JAX)
    definitions = needed([line.text for line in lines], JAX.definitions)
    parts = _layer(drawn, lines) if drawn.wrt else ["\n".join(_plain(drawn, lines))]
    checks = (
        "checks itself with check_grads, to second order."
        if drawn.wrt
        else "compares its value with the closed form's."
    )
    tail = ['if __name__ == "__main__":', *indented(jax_check(drawn, drawn.name))]
    everything = "\n".join([*definitions, *parts, *tail])
    standard = [f"import {module}" for module in ("functools", "math") if f"{module}." in everything]
    libraries = [
        f"import {module}" for module, mark in (("jax", "jax."), ("jax.numpy as jnp", "jnp.")) if mark in everything
    ]
    text = [
        *docstring(_head(drawn, f"Run as a script, it {checks}")),
        "",
        *standard,
        *([""] if standard else []),
        *libraries,
    ]
    return "\n\n\n".join(["\n".join(text), *definitions, *parts, "\n".join(tail)]) + "\n"


def _head(drawn: Drawn, check: str) -> list[str]:
    lines = head(drawn, "Needs JAX.", check)
    if drawn.wrt:
        lines.append(
            "A custom_vjp is for reverse mode: jax.grad, jax.vjp, jax.jacrev; jax.jvp and jax.jacfwd are lost."
        )
    return lines


def _plain(drawn: Drawn, lines: Sequence[Line]) -> list[str]:
    sizes = size_lines(drawn, list(drawn.inputs), used(lines), "jnp")
    body = [*docstring([says(drawn)]), *sizes, *map(str, lines), f"return {', '.join(drawn.results)}"]
    return [f"def {drawn.name}({', '.join([*drawn.inputs, *drawn.loose])}):", *indented(body)]


def _layer(drawn: Drawn, lines: Sequence[Line]) -> list[str]:
    notes = comments(drawn, lines)
    given = drawn.layer_inputs
    parameters = ", ".join([*given, *drawn.loose])
    forward = closure(lines, [drawn.output])
    made = [line.name for line in forward]
    backward = closure(lines, drawn.wrt.values(), made)
    kept, sizes = _kept(drawn, backward, made)
    name = drawn.name
    decorator = "@jax.custom_vjp"
    if drawn.loose:
        numbers = tuple(range(len(given), len(given) + len(drawn.loose)))
        decorator = f"@functools.partial(jax.custom_vjp, nondiff_argnums={numbers})"
    first = [
        decorator,
        f"def {name}({parameters}):",
        f'    """{title(drawn)}"""',
        f"    return {name}_forward({parameters})[0]",
    ]
    second = [f"def {name}_forward({parameters}):", '    """The output, and what the backward pass needs."""']
    second += indented(size_lines(drawn, given, used(forward), "jnp"))
    second += [part for line in forward for part in written(line, notes.get(line))]
    second.append(f"    return {drawn.output}, ({', '.join(kept)}{',' if len(kept) == 1 else ''})")
    third = [f"def {name}_backward({', '.join([*drawn.loose, 'kept', str(drawn.upstream)])}):"]
    third.append(f'    """The gradient by every input, given {drawn.upstream} = dL/d{drawn.output}."""')
    if kept:
        third.append(f"    {', '.join(kept)}{',' if len(kept) == 1 else ''} = kept")
    third += indented(size_lines(drawn, [k for k in kept if k in drawn.inputs], sizes, "jnp", asserted=False))
    third += [part for line in backward for part in written(line, notes.get(line))]
    returned = [drawn.wrt.get(one, "None") for one in given]
    third.append(f"    return {', '.join(returned)}{',' if len(returned) == 1 else ''}")
    register = f"{name}.defvjp({name}_forward, {name}_backward)"
    return ["\n".join(first), "\n".join(second), "\n".join(third), register]


def _kept(drawn: Drawn, backward: Sequence[Line], made: Sequence[str]) -> tuple[list[str], set[str]]:
    inputs, sizes = kept_inputs(drawn, backward)
    asked = used(backward) | set(drawn.wrt.values())
    return [*inputs, *(name for name in made if name in asked)], sizes
