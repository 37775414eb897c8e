"""NumPy into buffers made once: for loops in which nothing may be allocated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pullback.backends.numpy_functions import UFUNCS
from pullback.emission.checks import numpy_check
from pullback.emission.comments import comments, written
from pullback.emission.drafting import Drawn
from pullback.emission.files import docstring, head, indented, size_lines
from pullback.emission.numpy_file import says
from pullback.emission.sampling import numbers
from pullback.planning.memory import assign, owned_results
from pullback.planning.steps import VIEWS, Step
from pullback.spelling.definitions import needed
from pullback.spelling.dialects import NUMPY
from pullback.spelling.printer import formula, identifiers, shape_text
from pullback.spelling.speller import Line, Speller
from pullback.spelling.term import Term, name

_CALLED = {"dot": "dot", "matmul": "matmul", "greater": "greater", "equal": "equal"}
_ALSO = frozenset({"greater", "equal", "finite", "copy", "where"})
_OWN = frozenset({"embed", "pad"})
"""Kernels that write a part of a buffer, the rest of which stays zero."""


def _writes(step: Step) -> bool:
    if step.kind == "map":
        return step.detail[0] in UFUNCS or step.detail[0] in _ALSO
    return step.kind in ("dot", "matmul", "reduce", "contract") or step.kind in _OWN


def _in_place(step: Step) -> bool:
    return step.kind == "map" and (step.detail[0] in UFUNCS or step.detail[0] == "finite")


class _OutSpeller(Speller):
    """Writes every kernel into a buffer: its own, or that of an input that nothing needs any more."""

    def __init__(self, drawn: Drawn) -> None:
        names = {key: drawn.names[key] for key in drawn.plan.inputs}
        taken = {*drawn.reserved, *drawn.sizes.values(), *drawn.inputs}
        super().__init__(drawn.plan, NUMPY, names, list(drawn.results), drawn.wanted, drawn.forced, taken)
        self.memory = assign(drawn.plan, _in_place, _writes)
        self.buffers: dict[str, str] = {}
        self.called: dict[int, str] = {}
        for result, own in zip(drawn.plan.results, drawn.results, strict=True):
            if self.memory.base[result.slot] == result.slot and drawn.plan.shapes[result.slot] == result.shape:
                self.called[self.memory.group[result.slot]] = own
        for slot, own in sorted(drawn.wanted.items(), key=lambda pair: pair[0] not in drawn.forced):
            if slot in self.memory.group:
                self.called.setdefault(self.memory.group[slot], own)

    def step(self, step: Step) -> None:
        """Write one call, or keep a view for those that use it."""
        slot, shape = step.output, self.plan.shapes[step.output]
        if step.kind in VIEWS or step.kind == "constant":
            self.terms[slot] = self.term(step)
        elif step.kind == "full":
            self.made_once(slot, f"np.full({shape_text(shape)}, {formula(step.detail[0])[0]}, dtype)")
        elif shape and _writes(step):
            self.into(step)
        else:
            self.assign(slot, self.called.get(self.memory.group[slot]) or self.fresh(self.term(step)), self.term(step))

    def inline(self, step: Step, term: Term) -> bool:
        return False

    def made_once(self, slot: int, text: str) -> str:
        """A buffer."""
        group = self.memory.group.get(slot, slot)
        own = self.called.get(group)
        if own is None:
            own = self.called[group] = self.fresh(Term("buffer", (), ("",), ()))
            self.taken.add(own)
        self.buffers.setdefault(own, text)
        self.terms[slot] = name(own, self.plan.shapes[slot])
        return own

    def into(self, step: Step) -> None:
        """One call with ``out=``."""
        slot, shape = step.output, self.plan.shapes[step.output]
        args = [self.terms[k] for k in step.inputs]
        made = "zeros" if step.kind in _OWN else "empty"
        size = formula(shape[0])[0] if len(shape) == 1 else shape_text(shape)
        own = self.made_once(slot, f"np.{made}({size}, dtype)")
        shown = self.printer.text
        if step.detail == ("where",):
            test = args[0]
            self.lines.append(Line(own, f"np.copyto({own}, {shown(args[2])})", frozenset(), -1, call=True))
            text = f"np.copyto({own}, {shown(args[1])}, where={self.printer.at(test, 1)} != 0)"
        elif step.kind == "map":
            text = self.entrywise(step.detail[0], args, own)
        elif step.kind == "reduce":
            function, *axes = step.detail
            keep = bool(axes) and axes[-1] == "keep"
            axes = axes[:-1] if keep else axes
            called = "sum" if function == "add" else "max"
            along = repr(axes[0]) if len(axes) == 1 else repr(tuple(axes))
            text = f"np.{called}({shown(args[0])}, axis={along}{', keepdims=True' if keep else ''}, out={own})"
        elif step.kind == "contract":
            whole = shown(Term("einsum", tuple(args), step.detail, shape))
            text = f"{whole[:-1]}, out={own})"
        elif step.kind == "embed":
            labels, kept = step.detail
            letters = "".join(chr(ord("i") + x) for x in labels)
            left = "".join(chr(ord("i") + x) for x in kept)
            text = f'np.einsum("{letters}->{left}", {own})[...] = {shown(args[0])}'
        elif step.kind == "pad":
            first, length = step.detail[0], self.plan.shapes[step.inputs[0]][-1]
            stop = formula(first + length)[0]
            text = f"{own}[..., {formula(first)[0] if first else ''}:{stop}] = {shown(args[0])}"
        else:
            text = f"np.{_CALLED[step.kind]}({shown(args[0])}, {shown(args[1])}, out={own})"
        self.lines.append(Line(own, text, identifiers(text), slot, call=True))

    def entrywise(self, function: str, args: Sequence[Term], own: str) -> str:
        """An entrywise function."""
        given = ", ".join(map(self.printer.text, args))
        if function == "copy":
            return f"np.copyto({own}, {given})"
        if function == "finite":
            return f"np.clip({given}, np.finfo(dtype).min, np.finfo(dtype).max, out={own})"
        return f"np.{UFUNCS.get(function, function)}({given}, out={own})"

    def finish(self, slot: int, shape: object, own: str) -> None:
        """Give a result its name and shape."""
        term = self.terms[slot]
        if term.op != "name" or term.detail != (own,) or term.shape != shape:
            super().finish(slot, shape, own)  # type: ignore[arg-type]


def numpy_out_source(drawn: Drawn) -> str:
    """A factory: sizes in, a function out that writes into the same buffers at every call."""
    drawn = replace(drawn, plan=owned_results(drawn.plan))
    speller = _OutSpeller(drawn)
    lines = speller.spell()
    notes = comments(drawn, lines)
    sizes = list(drawn.sizes.values())
    checks = _all_assertions(drawn)
    body = [part for line in lines for part in written(line, notes.get(line), 8)]
    definitions = needed([str(line) for line in lines], NUMPY.definitions)
    factory = [
        f"def make_{drawn.name}({', '.join([*sizes, 'dtype=np.float64'])}):",
        f'    """Make {drawn.name} for these sizes. Its results are buffers, which the next call writes over."""',
        *(f"    {own} = {text}" for own, text in speller.buffers.items()),
        "",
        f"    def {drawn.name}({', '.join(drawn.inputs)}):",
        f'        """{says(drawn)}"""',
        *indented(checks, 2),
        *body,
        f"        return {', '.join(drawn.results)}",
        "",
        f"    return {drawn.name}",
    ]
    values = numbers(drawn)
    made = f"make_{drawn.name}({', '.join(f'{size}={values[dimension]}' for dimension, size in drawn.sizes.items())})"
    start = [f"run = {made}", "", "def copied(*given, **named):", '    """Copies of the buffers."""']
    start += ["    found = run(*given, **named)"]
    copies = "tuple(map(np.copy, found))" if len(drawn.results) > 1 else "np.copy(found)"
    start += [f"    return {copies}", ""]
    check = numpy_check(replace(drawn, loose=()), "copied")
    says_check = (
        "compares the gradients with central differences."
        if drawn.wrt
        else "compares its value with the closed form's."
    )
    tail = ['if __name__ == "__main__":', *indented([*start, *check])]
    standard = ["import math", ""] if any("math." in text for text in (*definitions, *tail)) else []
    top = [
        *docstring(head(drawn, "Needs NumPy.", f"Run as a script, it {says_check}")),
        "",
        *standard,
        "import numpy as np",
    ]
    return "\n\n\n".join(["\n".join(top), *definitions, "\n".join(factory), "\n".join(tail)]) + "\n"


def _all_assertions(drawn: Drawn) -> list[str]:
    known = replace(drawn, loose=tuple(drawn.sizes.values()))
    return [line for line in size_lines(known, list(drawn.inputs), (), "np") if line.startswith("assert")]
