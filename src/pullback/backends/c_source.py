"""A plan as one C function: entrywise chains as loops, products by BLAS, all of it specialised to the shapes.

Every array is a pointer, an offset and strides that are numbers here. Steps that need more than loops and BLAS, such
as an inverse, are left to NumPy: they part the function into segments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pullback.backends.c_places import Place, merged, row_strides
from pullback.backends.c_products import product_lines
from pullback.backends.c_text import FORMS, head, statements
from pullback.planning.factoring import KINDS
from pullback.planning.fusing import Operations, fused
from pullback.planning.memory import Memory, assign, owned_results, packed, strides_of
from pullback.planning.steps import UPDATES, VIEWS, Extent, Plan, Step

ALIGNMENT = 64

BY_NUMPY = KINDS | {"solve", "apply"}
"""Steps that part the function into segments."""

Body = Callable[[Sequence[str], Sequence[str]], list[str]]
"""Gives the lines inside of loops, for the names of the indices and the entries of the arrays."""


@dataclass
class Source:
    """C source, what calls it, and the memory that it works in.

    ``segments`` are the numbers of C functions and, between them, steps for NumPy.
    """

    text: str
    plan: Plan
    segments: list[int | Step]
    offsets: dict[int, int]
    zeroed: frozenset[int]
    size: int
    places: dict[int, Place] = field(default_factory=dict)


class CWriter:
    """Writes one plan; ``single`` for float32."""

    def __init__(self, plan: Plan, single: bool, width: int) -> None:
        self.plan = plan = fused(packed(owned_results(plan)))
        self.single, self.width = single, width
        self.made = {step.output: step for step in plan.steps}
        self.readers: dict[int, int] = {}
        for step in plan.steps:
            for slot in step.inputs:
                self.readers[slot] = self.readers.get(slot, 0) + 1
        self.folded = self.folds()
        self.memory = self.layout()
        self.results = {result.slot: k for k, result in enumerate(plan.results)}
        self.offsets: dict[int, int] = {}
        self.zeroed: set[int] = set()
        self.size = 0
        starts: list[int] = []
        item = 4 if single else 8
        for length in self.memory.lengths:
            starts.append(self.size)
            self.size += -(-length * item // ALIGNMENT) * ALIGNMENT
        for slot, buffer in self.memory.buffer.items():
            self.offsets[slot] = starts[buffer]
        self.places: dict[int, Place] = {}
        self.segments: list[int | Step] = []
        self.functions: list[list[str]] = []
        self.lines: list[str] = []

    def folds(self) -> set[int]:
        """Products that are added to what is updated right where they are computed."""
        found: set[int] = set()
        for step in self.plan.steps:
            if step.kind in UPDATES:
                change = self.made[step.inputs[1]]
                plain = change.kind == "dot" and len(self.plan.shapes[change.output]) == 2
                ranks = all(len(self.plan.shapes[slot]) == 2 for slot in change.inputs)
                if plain and ranks and self.readers[change.output] == 1:
                    found.add(change.output)
        return found

    def layout(self) -> Memory:
        """Buffers; a folded product is computed at its update, and what it reads lives until then."""
        steps = []
        for step in self.plan.steps:
            if step.output in self.folded:
                continue
            if step.kind in UPDATES and step.inputs[1] in self.folded:
                product = self.made[step.inputs[1]]
                step = Step("update", (step.inputs[0], *product.inputs), (), step.output)
            steps.append(step)
        self.plan = Plan(self.plan.inputs, tuple(steps), self.plan.results, self.plan.shapes)
        return assign(self.plan, lambda step: step.kind == "loop" and not step.detail[1], lambda step: True)

    def write(self) -> Source:
        """All of it."""
        plan = self.plan
        inputs = list(plan.inputs.values())
        for k, (slot, shape) in enumerate(inputs):
            if slot >= 0:
                self.places[slot] = Place(f"p{k}", row_strides(shape))
        for step in plan.steps:
            if step.kind in BY_NUMPY:
                self.segments += [*self.close(), step]
                self.target(step.output)
            elif step.kind != "input":
                self.step(step)
        self.segments += self.close()
        return Source(
            self.text(len(inputs), len(plan.results)), plan, self.segments, self.offsets,
            frozenset(self.zeroed), self.size, self.places,
        )  # fmt: skip

    def close(self) -> list[int]:
        """End a segment, if it has anything in it."""
        if not self.lines:
            return []
        self.functions.append(self.lines)
        self.lines = []
        return [len(self.functions) - 1]

    def text(self, inputs: int, results: int) -> str:
        """The whole file; arrays come as objects of NumPy, whose entries are found in them."""
        from pullback.backends.native import data_offset

        offset = data_offset()
        assert offset is not None
        whole = "long long" if self.width == 8 else "int"
        arguments = [f"char *o{k}" for k in range(inputs)] + [f"char *u{k}" for k in range(results)] + ["char *work"]
        taken = [f"T *const p{k} = *(T **)(o{k} + {offset});" for k in range(inputs)]
        taken += [f"T *const r{k} = *(T **)(u{k} + {offset});" for k in range(results)]
        taken += [f"T *const b{slot} = (T *)(work + {start});" for slot, start in self.offsets.items()]
        flags = " & ".join(f"*(int *)(o{k} + {offset + 48})" for k in range(inputs))
        check = f"if (({flags} & 0x101) != 0x101) return 1;" if inputs else ""
        parts = [head(self.single, whole)]
        for k, lines in enumerate(self.functions):
            used = [line for line in taken if _mentioned(line, lines)]
            body = [check, *used, *lines, "return 0;"]
            parts.append(f"int segment{k}({', '.join(arguments)})\n{{\n" + "\n".join("    " + x for x in body) + "\n}")
        return "\n\n".join(parts) + "\n"

    # places

    def target(self, slot: int) -> Place:
        """Where a slot is written."""
        group = self.memory.group[slot]
        if group in self.memory.buffer:
            pointer = f"b{group}"
        else:
            result = next(s for s in self.results if self.memory.group[self.memory.base[s]] == group)
            pointer = f"r{self.results[result]}"
        place = self.places[slot] = Place(pointer, row_strides(self.plan.shapes[slot]))
        return place

    def place(self, slot: int) -> Place:
        """Where a slot is read."""
        if slot in self.places:
            return self.places[slot]
        step = self.made[slot]
        source = self.place(step.inputs[0])
        strides = strides_of(slot, self.made, self.plan.shapes)
        assert strides is not None
        if source.number is not None:
            found = Place("", (0,) * len(strides), 0, source.number)
        else:
            offset = source.offset + (step.detail[0] * source.strides[-1] if step.kind == "part" else 0)
            found = Place(source.pointer, strides, offset)
        self.places[slot] = found
        return found

    def broadcast(self, slot: int, shape: Extent) -> Place:
        """Where the entries of a slot are for the indices of a larger shape."""
        place, own = self.place(slot), self.plan.shapes[slot]
        if not own:
            return Place(place.pointer, (0,) * len(shape), place.offset, place.number)
        strides = tuple(0 if n == 1 else s for n, s in zip(own, place.strides, strict=True))
        return Place(place.pointer, strides, place.offset, place.number)

    # steps

    def step(self, step: Step) -> None:
        """Write one step."""
        if step.kind in ("constant", "full"):
            self.places[step.output] = Place("", (0,) * len(self.plan.shapes[step.output]), 0, step.detail[0])
        elif step.kind in VIEWS:
            return
        elif step.kind == "loop":
            self.loop(step)
        elif step.kind in UPDATES:
            self.update(step)
        elif step.kind == "dot":
            self.dot(step.inputs[0], step.inputs[1], self.target(step.output), False)
        elif step.kind == "matmul":
            self.matmul(step)
        elif step.kind == "contract":
            self.contract(step)
        else:
            assert step.kind in ("embed", "pad"), step.kind
            self.scatter(step)

    def update(self, step: Step) -> None:
        """Add d to p, where d may be a product that is computed right into p."""
        target = self.place(step.inputs[0])
        self.places[step.output] = target
        shape = self.plan.shapes[step.inputs[0]]
        if len(step.inputs) == 3:
            self.dot(step.inputs[1], step.inputs[2], target, True)
            return
        change = self.broadcast(step.inputs[1], shape)
        self.nest(shape, [target, change], lambda _, at: [f"{at[0]} += {at[1]};"])

    def nest(self, shape: Extent, places: Sequence[Place], body: Body, simd: bool = True) -> None:
        """Loops over a shape, axes joined where that can be; ``body`` gives lines for names and entries."""
        shape, places = merged(shape, places)
        names = [f"i{k}" for k in range(len(shape))]
        entries = [place.at(names) for place in places]
        for depth, (name, length) in enumerate(zip(names, shape, strict=True)):
            if simd and depth == len(shape) - 1 and length > 1:
                self.lines.append("    " * depth + '_Pragma("omp simd")')
            self.lines.append("    " * depth + f"for (long {name} = 0; {name} < {length}; {name}++)")
        lines = body(names, entries)
        pad = "    " * len(shape)
        self.lines += [pad + "{", *(pad + "    " + line for line in lines), pad + "}"]

    def loop(self, step: Step) -> None:
        """An entrywise chain, or a sum or maximum of one."""
        shape, reduced, operations = step.detail
        given = [self.broadcast(slot, shape) for slot in step.inputs]
        if not reduced:
            target = self.target(step.output)

            def body(_: Sequence[str], at: Sequence[str]) -> list[str]:
                return [*statements(operations, at[1:]), f"{at[0]} = t{len(operations) - 1};"]

            self.nest(shape, [target, *given], body)
            return
        function, *axes = reduced
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        inner = self.target(step.output)
        rest = iter(inner.strides)
        strides = tuple(_next(rest, keep, k in axes) for k in range(len(shape)))
        self.reduce(function, shape, axes, Place(inner.pointer, strides, inner.offset), given, operations)

    def reduce(
        self, function: str, shape: Extent, axes: Sequence[int], target: Place, given: Sequence[Place],
        operations: Operations,
    ) -> None:  # fmt: skip
        """A sum or a maximum; along the last axis in a register, along others into the result."""
        start = "0" if function == "add" else "-INFINITY"
        left = [k for k in range(len(shape)) if k not in axes]
        if axes[-1] == len(shape) - 1:
            self.lines += _in_register(function, shape, left, axes, target, given, operations)
            return
        last = f"t{len(operations) - 1}"
        grown = f"{{0}} += {last};" if function == "add" else "{0} = " + FORMS["maximum"].format("{0}", last) + ";"
        plain = Place(target.pointer, tuple(target.strides[k] for k in left), target.offset)
        self.nest(tuple(shape[k] for k in left), [plain], lambda _, at: [f"{at[0]} = {start};"])
        self.nest(shape, [target, *given], lambda _, at: [*statements(operations, at[1:]), grown.replace("{0}", at[0])])

    def dot(self, a: int, b: int, target: Place, add: bool) -> None:
        """A product of matrices and vectors."""
        one, two = self.place(a), self.place(b)
        first, second = self.plan.shapes[a], self.plan.shapes[b]
        left, right = len(first) == 2, len(second) == 2
        sizes = (first[0] if left else 1, second[1] if right else 1, first[-1])
        across = (target.strides[0] if left else 0, target.strides[-1] if right else 0)
        self.lines += product_lines(
            Place(one.pointer, (one.strides[0] if left else 0, one.strides[-1]), one.offset, one.number),
            Place(two.pointer, (two.strides[0], two.strides[1] if right else 0), two.offset, two.number),
            Place(target.pointer, across, target.offset),
            sizes,
            add,
        )

    def matmul(self, step: Step) -> None:
        """Many products of the same size."""
        batch, rows, columns = self.plan.shapes[step.output]
        inner = self.plan.shapes[step.inputs[0]][2]
        given = [*(self.place(slot) for slot in step.inputs), self.target(step.output)]
        lines: list[str] = []
        places = []
        for name, place in zip("abc", given, strict=True):
            if place.number is None:
                lines.append(f"T *const {name} = {place.start} + n * {place.strides[0]};")
                place = Place(name, place.strides[1:])
            places.append(place)
        one, two, out = places
        lines += product_lines(one, two, out, (rows, columns, inner), False)
        self.lines += [f"for (long n = 0; n < {batch}; n++) {{", *("    " + line for line in lines), "}"]

    def contract(self, step: Step) -> None:
        """A product by labels, as loops."""
        one, two, wanted = step.detail
        lengths: dict[int, int] = {}
        for slot, labels in zip(step.inputs, (one, two), strict=True):
            lengths.update(zip(labels, self.plan.shapes[slot], strict=True))
        order = [*wanted, *(x for x in lengths if x not in wanted)]
        shape = tuple(lengths[x] for x in order)
        given = []
        for slot, labels in zip(step.inputs, (one, two), strict=True):
            place = self.place(slot)
            stride = dict(zip(labels, place.strides, strict=True))
            given.append(Place(place.pointer, tuple(stride.get(x, 0) for x in order), place.offset, place.number))
        target = self.target(step.output)
        strides = dict(zip(wanted, target.strides, strict=True))
        here = Place(target.pointer, tuple(strides.get(x, 0) for x in order), target.offset)
        axes = list(range(len(wanted), len(order)))
        if axes:
            self.reduce("add", shape, axes, here, given, (("multiply", (0, 1)),))
        else:
            self.nest(shape, [here, *given], lambda _, at: [f"{at[0]} = {at[1]} * {at[2]};"])

    def scatter(self, step: Step) -> None:
        """Write into a part of an array of zeros, which it is from the start on where nothing else lives there."""
        target, shape = self.target(step.output), self.plan.shapes[step.output]
        if target.pointer.startswith("b"):
            self.nest(shape, [target], lambda _, at: [f"{at[0]} = 0;"])
        else:
            self.zeroed.add(int(target.pointer[1:]))
        (slot,) = step.inputs
        if step.kind == "pad":
            inner = self.plan.shapes[slot]
            here = Place(target.pointer, target.strides, step.detail[0] * target.strides[-1])
            self.nest(inner, [here, self.place(slot)], lambda _, at: [f"{at[0]} = {at[1]};"])
            return
        labels, kept = step.detail
        lengths = dict(zip(labels, shape, strict=True))
        strides = tuple(sum(s for s, x in zip(target.strides, labels, strict=True) if x == label) for label in kept)
        inner = tuple(lengths[x] for x in kept)
        self.nest(
            inner, [Place(target.pointer, strides), self.broadcast(slot, inner)], lambda _, at: [f"{at[0]} = {at[1]};"]
        )


def _next(rest: Iterator[int], keep: bool, gone: bool) -> int:
    """The stride of an axis of the result, zero along an axis that goes."""
    if not gone:
        return next(rest)
    if keep:
        next(rest)
    return 0


def _in_register(
    function: str, shape: Extent, left: Sequence[int], axes: Sequence[int], target: Place, given: Sequence[Place],
    operations: Operations,
) -> list[str]:  # fmt: skip
    """Loops that sum, or take the maximum, in a variable; sums of float32 in double precision."""
    names = [f"i{k}" for k in range(len(shape))]
    add = function == "add"
    last = f"t{len(operations) - 1}"
    body = statements(operations, [place.at(names) for place in given])
    body.append(f"sum += {last};" if add else f"sum = {FORMS['maximum'].format('sum', last)};")
    lines = ["{", *("    " + line for line in body), "}"]
    for k in reversed(axes):
        simd = ['_Pragma("omp simd reduction(+:sum)")'] if add and k == axes[-1] else []
        lines = [*simd, f"for (long i{k} = 0; i{k} < {shape[k]}; i{k}++)", *("    " + line for line in lines)]
    start = "double sum = 0;" if add else "T sum = -INFINITY;"
    lines = ["{", f"    {start}", *("    " + line for line in lines), f"    {target.at(names)} = (T)sum;", "}"]
    for k in reversed(left):
        lines = [f"for (long i{k} = 0; i{k} < {shape[k]}; i{k}++)", *("    " + line for line in lines)]
    return lines


def _mentioned(line: str, lines: Sequence[str]) -> bool:
    """Whether a definition is used; names are a letter and digits."""
    name = line.split("const ")[1].split(" ")[0]
    return any(re.search(rf"\b{name}\b", other) for other in lines)
