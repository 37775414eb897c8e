"""A plan as straight NumPy source: one call a kernel, into buffers that are there before.

What depends on no input of the call - buffers, their transposes, numbers - is made once for each thread and is
global to the generated function; what the caller keeps is new at every call, unless ``reuse`` is asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import prod

from pullback.backends import factors
from pullback.backends.numpy_functions import COMPARISONS, RISKY, UFUNCS
from pullback.planning.factoring import KINDS
from pullback.planning.memory import Memory, assign, owned_results, packed, strides_of
from pullback.planning.steps import UPDATES, VIEWS, Extent, Plan, Step

_LONGEST_SUM = 4096


@dataclass(slots=True)
class Source:
    """Generated source and what has to be global to it.

    ``views`` are made at the start of each thread's life, in order: name and expression.
    """

    text: str
    plan: Plan
    memory: Memory
    buffers: dict[str, tuple[int | None, Extent, float | None]] = field(default_factory=dict)
    views: list[tuple[str, str]] = field(default_factory=list)
    operations: dict[str, str] = field(default_factory=dict)
    scratch: int = 0
    risky: bool = False
    fallible: bool = False
    reuse: bool = False


_REPEATED = 256
"""So many entries may be repeated in a buffer of NumPy's own size, where a call is to allocate nothing larger."""


class Writer:
    """Writes the source of one plan."""

    copied = ".copy()"
    checks_flags = True

    def __init__(self, plan: Plan, arrangement: str, reuse: bool) -> None:
        self.plan = plan = packed(owned_results(plan))
        self.arrangement = arrangement
        self.reuse = reuse
        self.memory = assign(plan, self.in_place, self.pooled)
        self.kept = {self.memory.group[self.memory.base[result.slot]] for result in plan.results}
        self.source = Source("", plan, self.memory, reuse=reuse)
        self.steps = {step.output: step for step in plan.steps}
        self.readers = Counter(slot for step in plan.steps for slot in step.inputs)
        self.readers.update(result.slot for result in plan.results)
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.lasting: set[int] = set()
        self.made: set[str] = set()

    def writes_out(self, step: Step) -> bool:
        """Whether the kernel can write to an array that is given."""
        return step.kind not in ("solve", "apply") and not (step.kind == "map" and step.detail[0] in ("erf", "where"))

    def in_place(self, step: Step) -> bool:
        """Whether the kernel may write over an input."""
        return step.kind == "map" and self.writes_out(step)

    def pooled(self, step: Step) -> bool:
        """Whether the result may live in memory that others use before and after."""
        return self.writes_out(step) and step.kind not in ("embed", "pad")

    def write(self) -> Source:
        """Write all of it."""
        plan = self.plan
        parameters = list(plan.inputs)
        for number, name in enumerate(parameters):
            slot = plan.inputs[name][0]
            if slot >= 0:
                self.names[slot] = f"p{number}"
        for step in plan.steps:
            self.step(step)
        returned = self.returned()
        body = [*self.taken_in(), *self.lines, f"return {returned}"]
        checks = [
            f"type(p{k}) is A and p{k}.shape == {shape!r} and p{k}.dtype is D"
            for k, (_, shape) in enumerate(plan.inputs.values())
        ]
        checks += self.change_checks()
        given = ", ".join(f"p{k}" for k in range(len(parameters)))
        lines = [f"def run({given}):"]
        if checks:
            lines += [f"    if not ({' and '.join(checks)}):", f"        return miss({given})"]
        if self.source.risky:
            lines += [f"    return enter(body{', ' if given else ''}{given})", f"def body({given}):"]
        if self.source.fallible:
            lines += ["    try:", *("        " + line for line in body)]
            lines += ["    except E as error:", "        raise failed(error) from None"]
        else:
            lines += ["    " + line for line in body]
        self.source.text = "\n".join(lines) + "\n"
        return self.source

    def change_checks(self) -> list[str]:
        """What must hold of inputs that are changed in place: they are writable, and no other input as well."""
        changed = [self.names[step.inputs[0]] for step in self.plan.steps if step.kind in UPDATES]
        others = [f"p{k}" for k in range(len(self.plan.inputs))]
        shapes = {f"p{k}": shape for k, (_, shape) in enumerate(self.plan.inputs.values())}
        pairs = [(p, q) for p in changed for q in others if p < q or (q not in changed and p != q)]
        apart = [f"{p} is not {q}" for p, q in pairs if shapes[p] == shapes[q]]
        return [*(f"{p}.flags.writeable" for p in changed if self.checks_flags), *apart]

    def returned(self) -> str:
        """The expression that is handed out."""
        shown = []
        for result in self.plan.results:
            name = self.name(result.slot)
            shape = self.plan.shapes[result.slot]
            if not self.reuse and shape == () and self.is_lasting(result.slot):
                name += self.copied
            shown.append(self.handed_out(name if shape == result.shape else f"{name}.reshape({result.shape!r})"))
        return self.arrangement.format(*shown)

    def handed_out(self, name: str) -> str:
        """A result as the caller gets it."""
        return name

    def taken_in(self) -> list[str]:
        """What is done to the inputs first."""
        return []

    def is_lasting(self, slot: int) -> bool:
        """Whether the array of a slot is the same at every call."""
        return slot in self.lasting

    def step(self, step: Step) -> None:
        """Write one step."""
        slot = step.output
        if step.kind == "input":
            return
        if step.kind in ("constant", "full"):
            self.names[slot] = f"c{slot}"
            self.source.buffers[f"c{slot}"] = (None, self.plan.shapes[slot], step.detail[0])
            self.lasting.add(slot)
        elif step.kind in VIEWS:
            return
        elif step.kind in UPDATES:
            target, change = (self.name(k) for k in step.inputs)
            self.names[slot] = target
            self.lines.append(f"add({target}, {change}, {target})")
        else:
            self.kernel(step)

    def name(self, slot: int) -> str:
        """What an array is called; views are written when first asked for."""
        if slot not in self.names:
            self.view(self.steps[slot])
        return self.names[slot]

    def broadcast_name(self, slot: int) -> str:
        """What an operand of a ufunc is called, which may go without leading axes of length one."""
        step = self.steps[slot]
        while step.kind == "shape" and slot not in self.names:
            shape, source = self.plan.shapes[slot], step.inputs[0]
            inner = self.plan.shapes[source]
            if shape[len(shape) - len(inner) :] != inner or any(n != 1 for n in shape[: len(shape) - len(inner)]):
                break
            slot, step = source, self.steps[source]
        return self.name(slot)

    def view(self, step: Step) -> None:
        """A view of something lasting is made once; of anything else, at every call."""
        slot, (source,) = step.output, step.inputs
        text = self.view_source(step, self.name(source))
        self.names[slot] = f"v{slot}"
        if self.is_lasting(source) and self.stays_view(slot):
            self.lasting.add(slot)
            self.source.views.append((f"v{slot}", text))
        elif self.readers.get(slot) == 1:
            self.names[slot] = text
        else:
            self.lines.append(f"v{slot} = {text}")

    def view_source(self, step: Step, name: str) -> str:
        """A view of the named array."""
        return view_source(step, name)

    def stays_view(self, slot: int) -> bool:
        """Whether the base can be looked at in this way without a copy."""
        return strides_of(slot, self.steps, self.plan.shapes) is not None

    def target(self, step: Step) -> tuple[str, bool]:
        """The name that a kernel writes to, and whether there is an array of that name already."""
        slot = step.output
        group = self.memory.group[slot]
        shape = self.plan.shapes[slot]
        if group in self.memory.buffer:
            number = self.memory.buffer[group]
            name = f"b{group}"
            self.source.buffers[name] = (number, self.plan.shapes[group], None)
            self.lasting.add(slot)
            return name, True
        first = self.steps[group]
        own = group in self.kept
        if self.writes_out(first) and (self.reuse or not own or shape == ()):
            name = f"r{group}"
            zeroed = 0.0 if first.kind in ("embed", "pad") else None
            self.source.buffers[name] = (None, self.plan.shapes[group], zeroed)
            self.lasting.add(slot)
            return name, True
        name = f"o{group}"
        return name, name in self.made

    def kernel(self, step: Step) -> None:
        """Write one call."""
        slot, shape = step.output, self.plan.shapes[step.output]
        full = step.kind != "map" or any(self.plan.shapes[k] == shape for k in step.inputs)
        full = full and not (step.kind == "map" and step.detail[0] == "where")
        given = [self.broadcast_name(k) if step.kind == "map" and full else self.name(k) for k in step.inputs]
        name, there = self.target(step)
        self.names[slot] = name
        self.made.add(name)
        inputs = given
        if step.kind == "map":
            self.map(step, name, there, inputs, shape)
        elif step.kind == "reduce":
            self.reduce(step, name, there, inputs[0])
        elif step.kind == "dot":
            tail = f", {name})" if there else ")"
            self.call(name, there, f"{inputs[0]}.dot({inputs[1]}{tail}")
        elif step.kind == "matmul":
            self.call(name, there, f"matmul({', '.join(inputs)}{f', {name}' if there else ''})")
        elif step.kind == "contract":
            letters = ["".join(chr(97 + x) for x in labels) for labels in step.detail]
            text = f"{letters[0]},{letters[1]}->{letters[2]}"
            self.call(name, there, f"einsum({text!r}, {', '.join(inputs)}{f', out={name}' if there else ''})")
        elif step.kind in ("embed", "pad"):
            self.place(step, name, there, inputs[0], shape)
        elif step.kind in KINDS:
            self.source.fallible = True
            self.make(name, there, shape)
            self.lines.append(factors.call(step, inputs, name))
        elif step.kind == "solve":
            self.source.fallible = True
            self.lines.append(f"{name} = solve({', '.join(inputs)})")
        else:
            self.source.fallible = self.source.risky = True
            function = f"f{slot}"
            self.source.operations[function] = step.detail[0]
            self.lines.append(f"{name} = asarray({function}({', '.join(inputs)}), D)")

    def call(self, name: str, there: bool, text: str) -> None:
        """A call that writes to ``name``, or makes it."""
        self.lines.append(text if there else f"{name} = {text}")

    def broadcasts(self, step: Step, shape: Extent) -> bool:
        """Whether NumPy would repeat an input in a large buffer though results are written over."""
        given = (self.plan.shapes[slot] for slot in step.inputs)
        return self.reuse and prod(shape) > _REPEATED and any(() != before != shape for before in given)

    def map(self, step: Step, name: str, there: bool, inputs: list[str], shape: Extent) -> None:
        """An entrywise function."""
        (function,) = step.detail
        given = ", ".join(inputs)
        self.source.risky |= function in RISKY or self.broadcasts(step, shape)
        if function in UFUNCS:
            tail = "" if not there else f", out={name}" if function in ("maximum", "minimum") else f", {name}"
            self.call(name, there, f"{UFUNCS[function]}({given}{tail})")
        elif function in COMPARISONS:
            self.source.scratch = max(self.source.scratch, prod(shape))
            mask = f"m{step.output}"
            self.source.views.append((mask, f"scratch[:{prod(shape)}].reshape({shape!r})"))
            self.make(name, there, shape)
            self.lines += [f"{COMPARISONS[function]}({given}, {mask})", f"copyto({name}, {mask})"]
        elif function == "finite":
            self.make(name, there, shape)
            self.lines.append(f"clip({given}, LOW, HIGH, {name})")
        elif function == "copy":
            self.lines.append(f"copyto({name}, {given})" if there else f"{name} = {given}.copy()")
        elif function == "where":
            self.lines.append(f"{name} = asarray(where({given}), D)")
        else:
            self.lines.append(f"{name} = asarray(erf({given}), D)")

    def make(self, name: str, there: bool, shape: Extent) -> None:
        """Make an array to write to, where there is none."""
        if not there:
            self.lines.append(f"{name} = empty({shape!r}, D)")

    def reduce(self, step: Step, name: str, there: bool, given: str) -> None:
        """A sum or a maximum."""
        function, *axes = step.detail
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        if function == "add" and len(axes) == 1 and self.by_blas(step.inputs[0], axes[0]):
            self.sum_by_blas(step, axes[0], name, there, given)
            return
        shown = repr(axes[0]) if len(axes) == 1 else repr(tuple(axes))
        call = f"{'add' if function == 'add' else 'maximum'}_reduce({given}, {shown}, None"
        call += f", {name if there else 'None'}" + (", True)" if keep else ")")
        self.call(name, there, call)

    def by_blas(self, slot: int, axis: int) -> bool:
        """Whether a sum over an axis may be a product with ones, which is some times faster.

        The sum must not be so long that adding up pairwise would be more precise by much.
        """
        shape, strides = self.plan.shapes[slot], strides_of(slot, self.steps, self.plan.shapes)
        if len(shape) not in (1, 2) or not 1 < shape[axis] <= _LONGEST_SUM or 0 in shape or strides is None:
            return False
        if len(shape) == 1:
            return strides[0] == 1
        (down, along), (rows, columns) = strides, shape
        return (along == 1 and down >= columns) or (down == 1 and along >= rows)

    def sum_by_blas(self, step: Step, axis: int, name: str, there: bool, given: str) -> None:
        """A sum as a product with ones."""
        shape, wanted = self.plan.shapes[step.inputs[0]], self.plan.shapes[step.output]
        ones = f"e{shape[axis]}"
        self.source.buffers[ones] = (None, (shape[axis],), 1.0)
        flat = tuple(n for k, n in enumerate(shape) if k != axis)
        pair = (ones, given) if axis == 0 and len(shape) == 2 else (given, ones)
        if not there:
            back = "" if flat == wanted else f".reshape({wanted!r})"
            self.lines.append(
                f"{name} = {'' if flat else 'asarray('}{pair[0]}.dot({pair[1]}){'' if flat else ')'}{back}"
            )
            return
        target = name
        if flat != wanted:
            target = f"w{step.output}"
            self.source.views.append((target, f"{name}.reshape({flat!r})"))
        self.lines.append(f"{pair[0]}.dot({pair[1]}, {target})")

    def place(self, step: Step, name: str, there: bool, given: str, shape: Extent) -> None:
        """Write into a part of an array of zeros."""
        if step.kind == "embed":
            view = f"einsum({name}, {list(step.detail[0])!r}, {list(step.detail[1])!r})"
        else:
            length = self.plan.shapes[step.inputs[0]][-1]
            view = f"{name}[..., {step.detail[0]}:{step.detail[0] + length}]"
        if there:
            self.source.views.append((f"d{step.output}", view))
            self.lines.append(f"copyto(d{step.output}, {given})")
        else:
            self.lines += [f"{name} = zeros({shape!r}, D)", f"copyto({view}, {given})"]


def view_source(step: Step, name: str) -> str:
    """A view as NumPy source."""
    if step.kind == "permute":
        return f"{name}.T" if step.detail == (1, 0) else f"{name}.transpose({step.detail!r})"
    if step.kind == "shape":
        return f"{name}.reshape({step.detail!r})"
    if step.kind == "expand":
        return f"broadcast_to({name}, {step.detail!r})"
    if step.kind == "diagonal":
        kept = list(dict.fromkeys(step.detail))
        return f"einsum({name}, {list(step.detail)!r}, {kept!r})"
    return f"{name}[..., {step.detail[0]}:{step.detail[1]}]"


def used(plan: Plan, name: str) -> bool:
    """Whether a plan reads an input."""
    return plan.inputs[name][0] >= 0
