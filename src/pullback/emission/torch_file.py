"""A ``torch.autograd.Function`` whose backward pass is the closed form, itself differentiable."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pullback.emission.checks import torch_check
from pullback.emission.comments import comments, written
from pullback.emission.drafting import Drawn
from pullback.emission.files import (
    as_tuple,
    closure,
    docstring,
    head,
    indented,
    joined,
    kept_inputs,
    size_lines,
    spelled,
    title,
    used,
)
from pullback.emission.numpy_file import says
from pullback.spelling.definitions import needed
from pullback.spelling.dialects import TORCH
from pullback.spelling.speller import Line


def torch_source(drawn: Drawn) -> str:
    """A function with its backward pass, or a closed form as a plain function."""
    lines = spelled(drawn, TORCH)
    definitions = needed([line.text for line in lines], TORCH.definitions)
    parts = _layer(drawn, lines) if drawn.wrt else ["\n".join(_plain(drawn, lines))]
    checks = (
        "checks itself with gradcheck and gradgradcheck." if drawn.wrt else "compares its value with the closed form's."
    )
    tail = ['if __name__ == "__main__":', *indented(torch_check(drawn, drawn.name))]
    mathematics = ["import math", ""] if any("math." in text for text in (*parts, *definitions, *tail)) else []
    top = [*docstring(head(drawn, "Needs PyTorch.", f"Run as a script, it {checks}")), "", *mathematics, "import torch"]
    return "\n\n\n".join(["\n".join(top), *definitions, *parts, "\n".join(tail)]) + "\n"


def _plain(drawn: Drawn, lines: Sequence[Line]) -> list[str]:
    sizes = size_lines(drawn, list(drawn.inputs), used(lines), "torch")
    body = [*docstring([says(drawn)]), *sizes, *map(str, lines), f"return {', '.join(drawn.results)}"]
    return [f"def {drawn.name}({', '.join([*drawn.inputs, *drawn.loose])}):", *indented(body)]


def _layer(drawn: Drawn, lines: Sequence[Line]) -> list[str]:
    notes = comments(drawn, lines)
    given = drawn.layer_inputs
    parameters = ", ".join([*given, *drawn.loose])
    forward = closure(lines, [drawn.output])
    backward = closure(lines, drawn.wrt.values(), {drawn.output})
    saved, sizes = kept_inputs(drawn, backward)
    saves_output = drawn.output in used(backward)
    stored = [*saved, *([drawn.output] if saves_output else [])]
    called = "".join(part.capitalize() for part in drawn.name.split("_"))
    recomputed = [line.name for line in backward if line.name in {one.name for one in forward}]
    text = [f"class {called}(torch.autograd.Function):", f'    """{title(drawn)}"""', ""]
    text += ["    generate_vmap_rule = True", "", "    @staticmethod", f"    def forward({parameters}):"]
    text += indented(size_lines(drawn, given, used(forward), "torch"), 2)
    text += [part for line in forward for part in written(line, notes.get(line), 8)]
    text += [f"        return {drawn.output}", "", "    @staticmethod", "    def setup_context(ctx, inputs, output):"]
    text += indented(_saving(drawn, saved, saves_output), 2)
    text += ["", "    @staticmethod", f"    def backward(ctx, {drawn.upstream}):"]
    if stored:
        text.append(f"        {as_tuple(stored)} = ctx.saved_tensors")
    text += indented([f"{size} = ctx.{size}" for size in drawn.loose if size in sizes], 2)
    text += indented(size_lines(drawn, saved, sizes, "torch", asserted=False), 2)
    if recomputed:
        why = (
            "so that second derivatives go through it"
            if len(recomputed) == 1
            else "so that second derivatives go through them"
        )
        text.append(f"        # {joined(recomputed)} {'is' if len(recomputed) == 1 else 'are'} computed again, {why}.")
    text += _gradients(drawn, backward, notes)
    returned = [drawn.wrt.get(name, "None") for name in given] + ["None"] * len(drawn.loose)
    text.append(f"        return {', '.join(returned)}")
    function = [
        f"def {drawn.name}({parameters}):",
        f'    """{title(drawn)}"""',
        f"    return {called}.apply({parameters})",
    ]
    return ["\n".join(text), "\n".join(function)]


def _saving(drawn: Drawn, saved: Sequence[str], saves_output: bool) -> list[str]:
    given = [*drawn.layer_inputs, *drawn.loose]
    lines = [f"ctx.{size} = inputs[{given.index(size)}]" for size in drawn.loose]
    output = ["output"] if saves_output else []
    if list(saved) == given:
        return [f"ctx.save_for_backward({', '.join(['*inputs', *output])})"]
    if saved:
        names = [name if name in saved else "_" for name in given]
        lines.append(f"{as_tuple(names)} = inputs")
    if saved or output:
        lines.append(f"ctx.save_for_backward({', '.join([*saved, *output])})")
    return lines or ["pass  # the backward pass needs nothing of the forward one"]


def _gradients(drawn: Drawn, backward: Sequence[Line], notes: dict[Line, str]) -> list[str]:
    """What several gradients share, then each gradient under the question whether it is asked for."""
    gradients = drawn.wrt
    owners = _owners(backward, gradients.values())
    text: list[str] = []
    for line in backward:
        if len(owners[line.name]) > 1:
            text += written(line, notes.get(line), 8)
    alone = {name: g for name, g in gradients.items() if owners.get(g) == {g}}
    if len(gradients) == 1:
        return [part for line in backward for part in written(line, notes.get(line), 8)]
    if alone:
        text.append(f"        {' = '.join(alone.values())} = None")
    for name, gradient in alone.items():
        text.append(f"        if ctx.needs_input_grad[{drawn.layer_inputs.index(name)}]:")
        for line in backward:
            if owners[line.name] == {gradient}:
                text += written(line, notes.get(line), 12)
    return text


def _owners(lines: Sequence[Line], gradients: Collection[str]) -> dict[str, set[str]]:
    """For each line, the gradients that need it; more than one where another line needs a gradient."""
    owners: dict[str, set[str]] = {line.name: {line.name} if line.name in gradients else set() for line in lines}
    for line in reversed(lines):
        for name in line.uses:
            if name in owners:
                owners[name] |= owners[line.name]
    return owners
