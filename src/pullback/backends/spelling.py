"""A plan as plain source that a person would write: one line a kernel, views and short chains inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pullback.backends.dialects import HELPERS, Dialect
from pullback.errors import UnsupportedError
from pullback.planning.steps import VIEWS, Extent, Plan, Step

_INFIX = {"add": ("+", 1), "subtract": ("-", 1), "multiply": ("*", 2), "divide": ("/", 2)}
_ATOM = 9
_LONGEST = 64
_HEAVY = frozenset({"dot", "matmul", "contract", "solve", "apply", "embed", "pad", "reduce"})


class Speller:
    """Spells a plan; ``names`` are what inputs are called, ``results`` what results are called."""

    def __init__(self, plan: Plan, dialect: Dialect, names: Mapping[str, str], results: Sequence[str]) -> None:
        self.plan = plan
        self.dialect = dialect
        self.text: dict[int, tuple[str, int]] = {}
        self.lines: list[str] = []
        self.results = list(results)
        self.finals: dict[int, str] = {}
        for result, name in zip(plan.results, results, strict=True):
            self.finals.setdefault(result.slot, name)
        for name, (slot, _) in plan.inputs.items():
            if slot >= 0:
                self.text[slot] = (names[name], _ATOM)
        self.taken = set(names.values()) | set(results)
        self.uses: dict[int, int] = {}
        for step in plan.steps:
            for slot in step.inputs:
                self.uses[slot] = self.uses.get(slot, 0) + 1
        self.count = 0
        self.like = next(iter(names.values()), "")

    def spell(self) -> list[str]:
        """All lines, the results assigned to their names."""
        for step in self.plan.steps:
            if step.kind == "input":
                continue
            text, level = self.expression(step)
            final = self.finals.get(step.output)
            once = self.uses.get(step.output, 0) <= 1
            inline = step.kind in VIEWS or step.kind == "constant" or (once and len(text) <= _LONGEST)
            if step.kind in _HEAVY and len(text) > 24:
                inline = False
            if final is not None:
                self.assign(step.output, final, text)
            elif inline:
                self.text[step.output] = (text, level)
            else:
                self.assign(step.output, self.fresh(), text)
        for result, name in zip(self.plan.results, self.results, strict=True):
            self.finish(result.slot, result.shape, name)
        return self.lines

    def finish(self, slot: int, shape: Extent, name: str) -> None:
        """Give a result its name and shape."""
        text, level = self.text[slot]
        here = self.plan.shapes[slot]
        if here != shape:
            size = 1
            for n in shape:
                size *= n
            small = 1
            for n in here:
                small *= n
            if small == size:
                text = f"{self.at(text, level, _ATOM)}.reshape({self.shape(shape)})"
            else:
                text = self.dialect.broadcast.format(
                    module=self.dialect.module, x=self.array(slot, text, level), shape=self.shape(shape)
                )
        if text != name:
            self.lines.append(f"{name} = {text}")

    def array(self, slot: int, text: str, level: int) -> str:
        """The text of a slot as an array, where it may be a bare number."""
        if any(step.output == slot and step.kind == "constant" for step in self.plan.steps):
            return f"{self.dialect.module}.asarray({text}, {self.kind()})"
        return self.at(text, level, _ATOM)

    def kind(self) -> str:
        """The keyword that makes new arrays like the inputs."""
        return f"dtype={self.like}.dtype" if self.like else "dtype=float"

    def assign(self, slot: int, name: str, text: str) -> None:
        """Write a line."""
        self.lines.append(f"{name} = {text}")
        self.text[slot] = (name, _ATOM)

    def fresh(self) -> str:
        """A name that nothing has."""
        while True:
            self.count += 1
            name = f"t{self.count}"
            if name not in self.taken:
                return name

    @staticmethod
    def at(text: str, level: int, wanted: int) -> str:
        """Put parentheses where they are needed."""
        return text if level >= wanted else f"({text})"

    @staticmethod
    def shape(shape: Extent) -> str:
        """A shape as a tuple."""
        return "(" + ", ".join(repr(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"

    def operand(self, slot: int, level: int = _ATOM) -> str:
        """The text of a slot at a level of binding."""
        return self.at(*self.text[slot], level)

    def loose(self, slot: int) -> str:
        """The text of a slot as an argument."""
        return self.text[slot][0]

    def expression(self, step: Step) -> tuple[str, int]:
        """The expression of a step, and how tightly it binds."""
        module = self.dialect.module
        kind, detail = step.kind, step.detail
        if kind == "constant":
            text = repr(detail[0])
            return text, _ATOM if text.replace(".", "").isalnum() else 0
        if kind == "full":
            shape = self.shape(self.plan.shapes[step.output])
            return f"{module}.full({shape}, {detail[0]!r}, {self.kind()})", _ATOM
        if kind in VIEWS:
            return self.view(step)
        if kind == "map":
            return self.map(step)
        if kind in ("dot", "matmul"):
            return f"{self.operand(step.inputs[0], 2)} @ {self.operand(step.inputs[1], 3)}", 2
        if kind == "reduce":
            return self.reduce(step), _ATOM
        if kind == "contract":
            letters = ["".join(chr(97 + x) for x in labels) for labels in detail]
            given = ", ".join(self.loose(slot) for slot in step.inputs)
            return f'{module}.einsum("{letters[0]},{letters[1]}->{letters[2]}", {given})', _ATOM
        if kind == "solve":
            a, b = step.inputs
            if self.dialect.name == "torch" or len(self.plan.shapes[b]) == 2 or self.dialect.name == "numpy":
                return f"{module}.linalg.solve({self.loose(a)}, {self.loose(b)})", _ATOM
            return f"{module}.linalg.solve({self.loose(a)}, {self.operand(b)}[:, None])[:, 0]", _ATOM
        if kind == "embed":
            return self.embed(step), _ATOM
        if kind == "pad":
            (slot,) = step.inputs
            after = f"{detail[1]!r} - {detail[0]!r} - {self.plan.shapes[slot][-1]!r}"
            x = self.operand(slot)
            return self.dialect.pad.format(module=module, x=x, before=repr(detail[0]), after=after), _ATOM
        assert kind == "apply", kind
        return self.apply(step), _ATOM

    def view(self, step: Step) -> tuple[str, int]:
        """A view, written after the array that it looks at."""
        (slot,) = step.inputs
        shape = self.plan.shapes[slot]
        if step.kind == "permute":
            if step.detail == (1, 0):
                return f"{self.operand(slot)}.T", _ATOM
            method = "permute" if self.dialect.name == "torch" else "transpose"
            return f"{self.operand(slot)}.{method}({', '.join(map(str, step.detail))})", _ATOM
        if step.kind == "shape":
            index = _inserted(shape, step.detail)
            if index is not None:
                return f"{self.operand(slot)}[{index}]", _ATOM
            return f"{self.operand(slot)}.reshape({self.shape(step.detail)})", _ATOM
        if step.kind == "expand":
            x = self.array(slot, *self.text[slot])
            shown = self.shape(step.detail)
            return self.dialect.broadcast.format(module=self.dialect.module, x=x, shape=shown), _ATOM
        if step.kind == "diagonal":
            letters = "".join(chr(97 + k) for k in step.detail)
            kept = "".join(dict.fromkeys(letters))
            return f'{self.dialect.module}.einsum("{letters}->{kept}", {self.loose(slot)})', _ATOM
        return f"{self.operand(slot)}[..., {step.detail[0]!r}:{step.detail[1]!r}]", _ATOM

    def map(self, step: Step) -> tuple[str, int]:
        """An entrywise function, with signs where there are signs."""
        (function,) = step.detail
        slots = step.inputs
        module = self.dialect.module
        if function in _INFIX:
            sign, level = _INFIX[function]
            tighter = level if function in ("add", "multiply") else level + 1
            left, right = slots
            if function in ("add", "multiply") and self.is_number(right) and not self.is_number(left):
                left, right = (right, left) if function == "multiply" else (left, right)
            return f"{self.operand(left, level)} {sign} {self.operand(right, max(tighter, level + 1))}", level
        if function == "negative":
            return f"-{self.operand(slots[0], 3)}", 2
        if function == "square":
            return f"{self.operand(slots[0])} ** 2", 4
        if function == "reciprocal":
            return f"1 / {self.operand(slots[0], 3)}", 2
        if function == "power":
            return f"{self.operand(slots[0])} ** {self.operand(slots[1])}", 4
        x = self.loose(slots[0])
        if function in ("greater", "equal"):
            sign = ">" if function == "greater" else "=="
            test = f"{self.operand(slots[0], 1)} {sign} {self.operand(slots[1], 1)}"
            return self.dialect.true.format(test=test, x=self.operand(slots[0])), _ATOM
        if function == "finite":
            limit = self.dialect.limit.format(module=module, x=self.operand(slots[0]))
            return f"{module}.clip({x}, -{limit}, {limit})", _ATOM
        if function == "copy":
            return (f"{self.operand(slots[0])} + 0", 1) if self.is_number(slots[0]) else self.text[slots[0]]
        if function == "where":
            return (
                f"{module}.where({self.operand(slots[0], 1)} != 0, {self.loose(slots[1])}, {self.loose(slots[2])})",
                _ATOM,
            )
        if function in ("maximum", "minimum") and self.dialect.name == "torch" and self.is_number(slots[1]):
            side = "min" if function == "maximum" else "max"
            return f"torch.clamp({x}, {side}={self.loose(slots[1])})", _ATOM
        return f"{self.dialect.call(function)}({', '.join(self.loose(slot) for slot in slots)})", _ATOM

    def is_number(self, slot: int) -> bool:
        """Whether a slot is a number in the source."""
        return any(step.output == slot and step.kind == "constant" for step in self.plan.steps)

    def reduce(self, step: Step) -> str:
        """A sum or a maximum."""
        function, *axes = step.detail
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        shown = repr(axes[0]) if len(axes) == 1 else repr(tuple(axes))
        called = "sum" if function == "add" else self.dialect.largest
        everything = len(axes) == len(self.plan.shapes[step.inputs[0]]) and not keep and function == "add"
        if everything:
            return f"{self.dialect.module}.{called}({self.loose(step.inputs[0])})"
        tail = f", {self.dialect.keep}=True" if keep else ""
        return f"{self.dialect.module}.{called}({self.loose(step.inputs[0])}, {self.dialect.axis}={shown}{tail})"

    def embed(self, step: Step) -> str:
        """Entries on a diagonal, zero elsewhere."""
        labels, kept = step.detail
        module = self.dialect.module
        shape = self.plan.shapes[step.output]
        tests = []
        for label in kept:
            places = [k for k, other in enumerate(labels) if other == label]
            for second in places[1:]:
                index = ", ".join(":" if k in (places[0], second) else "None" for k in range(len(labels)))
                eye = f"{module}.eye({shape[places[0]]!r}, dtype={'bool' if module != 'torch' else 'torch.bool'})"
                tests.append(eye if index == ":, :" else f"{eye}[{index}]")
        (slot,) = step.inputs
        index = ", ".join(":" if labels.index(label) == k else "None" for k, label in enumerate(labels))
        scalar = self.plan.shapes[slot] == ()
        if self.is_number(slot):
            x = f"{module}.asarray({self.loose(slot)}, {self.kind()})"
        else:
            x = self.operand(slot) if scalar else f"{self.operand(slot)}[{index}]"
        text = f"{module}.where({' & '.join(tests)}, {x}, 0)"
        if scalar and any(labels.count(label) == 1 for label in labels):
            text = self.dialect.broadcast.format(module=module, x=text, shape=self.shape(shape))
        return text

    def apply(self, step: Step) -> str:
        """An operation of the table by the library's name for it."""
        (name,) = step.detail
        pattern = self.dialect.operations.get(name)
        if pattern is None or len(step.inputs) != 1:
            raise UnsupportedError(
                f"{name} has no name in {self.dialect.name}", hint="emit another target, or evaluate"
            )
        text = self.operand(step.inputs[0])
        if pattern.count("{x}") > 1 and len(text) > 12:
            self.assign(step.inputs[0], self.fresh(), text)
            text = self.text[step.inputs[0]][0]
        return pattern.format(x=text)


def _inserted(before: Extent, after: Extent) -> str | None:
    """The index that inserts axes of length one, if that is all."""
    rest = list(before)
    parts = []
    for length in after:
        if rest and rest[0] == length:
            parts.append(":")
            rest.pop(0)
        elif length == 1:
            parts.append("None")
        else:
            return None
    return None if rest else ", ".join(parts)


def helpers(lines: Sequence[str], dialect: Dialect) -> list[str]:
    """The definitions that the lines need."""
    body = "\n".join(lines)
    return [text.format(module=dialect.module) for mark, text in HELPERS.items() if mark in body]
