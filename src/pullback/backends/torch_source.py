"""A plan as straight PyTorch source: the same steps, into the same kind of buffers, without a tape."""

from __future__ import annotations

from pullback.backends.numpy_source import Writer
from pullback.planning.memory import owned_results
from pullback.planning.steps import VIEWS, Extent, Plan, Step

NAMES = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "negative": "neg",
    "reciprocal": "reciprocal", "square": "square", "sqrt": "sqrt", "exp": "exp", "log": "log", "log1p": "log1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "abs": "abs",
    "sign": "sign", "maximum": "maximum", "minimum": "minimum", "greater": "gt", "equal": "eq", "erf": "erf",
}  # fmt: skip
"""Entrywise functions by PyTorch's names."""


class TorchWriter(Writer):
    """Writes PyTorch source; ``library`` is where the arrays of the caller come from."""

    copied = ".clone()"

    def __init__(self, plan: Plan, arrangement: str, reuse: bool, library: str) -> None:
        self.library = library
        self.checks_flags = library != "torch"
        self.fused: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.folded: set[int] = set()
        plan = owned_results(plan)
        self.uses: dict[int, int] = {}
        for step in plan.steps:
            for slot in step.inputs:
                self.uses[slot] = self.uses.get(slot, 0) + 1
        for result in plan.results:
            self.uses[result.slot] = self.uses.get(result.slot, 0) + 1
        super().__init__(fuse(plan, self.uses), arrangement, reuse)

    def writes_out(self, step: Step) -> bool:
        """Whether the kernel can write to a tensor that is given."""
        no_out = step.kind in ("solve", "apply", "contract") or (step.kind == "map" and step.detail[0] == "where")
        return not no_out

    def in_place(self, step: Step) -> bool:
        """Whether the kernel may write over an input; kernels of several calls may not."""
        return step.kind == "map" and self.writes_out(step)

    def taken_in(self) -> list[str]:
        """Arrays of NumPy are looked at as tensors."""
        if self.library == "torch":
            return []
        return [f"p{k} = tensor(p{k})" for k, (slot, _) in enumerate(self.plan.inputs.values()) if slot >= 0]

    def handed_out(self, name: str) -> str:
        """Results as the library that the inputs came from."""
        return name if self.library == "torch" else f"{name}.numpy()"

    def view_source(self, step: Step, name: str) -> str:
        """A view of the named tensor."""
        if step.kind == "permute":
            return f"{name}.t()" if step.detail == (1, 0) else f"{name}.permute({step.detail!r})"
        if step.kind == "shape":
            return f"{name}.reshape({step.detail!r})"
        if step.kind == "expand":
            return f"{name}.expand({step.detail!r})"
        if step.kind == "diagonal":
            return f"diagonals({name}, {step.detail!r})"
        return f"{name}[..., {step.detail[0]}:{step.detail[1]}]"

    def step(self, step: Step) -> None:
        """Write one step; an update by a product is one GEMM."""
        if step.kind == "update" and len(step.inputs) == 3:
            target, a, b = (self.name(k) for k in step.inputs)
            self.names[step.output] = target
            self.lines.append(f"{target}.addmm_({a}, {b})")
        elif step.kind == "update":
            target, change = (self.name(k) for k in step.inputs)
            self.names[step.output] = target
            self.lines.append(f"{target}.add_({change})")
        else:
            super().step(step)

    def kernel(self, step: Step) -> None:
        """Write one call."""
        slot, shape = step.output, self.plan.shapes[step.output]
        given = [self.broadcast_name(k) if step.kind == "map" else self.name(k) for k in step.inputs]
        if step.kind == "map" and not any(self.plan.shapes[k] == shape for k in step.inputs):
            given = [self.name(k) for k in step.inputs]
        name, there = self.target(step)
        self.names[slot] = name
        self.made.add(name)
        joined = ", ".join(given)
        out = f", out={name}" if there else ""
        kind = step.kind
        if kind == "map":
            self.entrywise(step, name, there, given, shape)
        elif kind == "reduce":
            function, *axes = step.detail
            keep = bool(axes) and axes[-1] == "keep"
            axes = axes[:-1] if keep else axes
            called = "tsum" if function == "add" else "amax"
            self.call(name, there, f"{called}({joined}, {tuple(axes)!r}, {keep}{out})")
        elif kind == "dot":
            ranks = [len(self.plan.shapes[k]) for k in step.inputs]
            called = "mm" if ranks == [2, 2] else "mv" if ranks == [2, 1] else "vdot"
            self.call(name, there, f"{called}({joined}{out})")
        elif kind == "addmm":
            self.call(name, there, f"addmm({joined}{out})")
        elif kind == "matmul":
            self.call(name, there, f"bmm({joined}{out})")
        elif kind == "contract":
            letters = ["".join(chr(97 + x) for x in labels) for labels in step.detail]
            self.lines.append(f"{name} = einsum('{letters[0]},{letters[1]}->{letters[2]}', {joined})")
        elif kind in ("embed", "pad"):
            self.place(step, name, there, given[0], shape)
        elif kind == "solve":
            self.source.fallible = True
            self.lines.append(f"{name} = solve({joined})")
        else:
            self.source.fallible = True
            self.source.operations[f"f{slot}"] = step.detail[0]
            self.lines.append(f"{name} = f{slot}({joined})")

    def entrywise(self, step: Step, name: str, there: bool, given: list[str], shape: Extent) -> None:
        """An entrywise function."""
        (function,) = step.detail
        joined = ", ".join(given)
        out = f", out={name}" if there else ""
        if function == "where":
            self.lines.append(f"{name} = where({given[0]} != 0, {given[1]}, {given[2]})")
        elif function in ("greater", "equal"):
            self.make(name, there, shape)
            self.lines.append(f"{NAMES[function]}({joined}, out={name})")
        elif function == "finite":
            self.call(name, there, f"clamp({joined}, LOW, HIGH{out})")
        elif function == "copy":
            self.lines.append(f"{name}.copy_({joined})" if there else f"{name} = {joined}.clone()")
        elif function == "mask":
            self.make(name, there, shape)
            self.lines.append(f"threshold({joined}, 0, grad_input={name})")
        else:
            self.call(name, there, f"{NAMES[function]}({joined}{out})")

    def place(self, step: Step, name: str, there: bool, given: str, shape: Extent) -> None:
        """Write into a part of a tensor of zeros."""
        if step.kind == "embed":
            view = f"diagonals({name}, {step.detail[0]!r}, {step.detail[1]!r})"
        else:
            length = self.plan.shapes[step.inputs[0]][-1]
            view = f"{name}[..., {step.detail[0]}:{step.detail[0] + length}]"
        if not there:
            self.lines.append(f"{name} = zeros({shape!r}, dtype=T)")
        self.lines.append(f"{view}.copy_({given})")


def fuse(plan: Plan, uses: dict[int, int]) -> Plan:
    """Join what PyTorch has one kernel for: a product plus a bias, an update by a product, a masked gradient."""
    made = {step.output: step for step in plan.steps}
    gone: set[int] = set()
    steps: list[Step] = []
    for step in plan.steps:
        new = step
        if step.kind == "map" and step.detail == ("add",):
            new = _addmm(step, made, plan, uses, gone)
        elif step.kind == "map" and step.detail == ("multiply",):
            new = _mask(step, made, plan, uses, gone)
        elif step.kind == "update":
            product = made[step.inputs[1]]
            if _single(product, uses) and product.kind == "dot" and len(plan.shapes[product.output]) == 2:
                if all(len(plan.shapes[k]) == 2 for k in product.inputs):
                    new = Step("update", (step.inputs[0], *product.inputs), (), step.output)
                    gone.add(product.output)
        steps.append(new)
    kept = tuple(step for step in steps if step.output not in gone)
    return Plan(plan.inputs, kept, plan.results, plan.shapes)


def _single(step: Step, uses: dict[int, int]) -> bool:
    return uses.get(step.output, 0) == 1 and step.kind not in VIEWS


def _addmm(step: Step, made: dict[int, Step], plan: Plan, uses: dict[int, int], gone: set[int]) -> Step:
    for position in (0, 1):
        product, other = made[step.inputs[position]], step.inputs[1 - position]
        matrices = product.kind == "dot" and all(len(plan.shapes[k]) == 2 for k in product.inputs)
        if matrices and _single(product, uses) and plan.shapes[product.output] == plan.shapes[step.output]:
            gone.add(product.output)
            return Step("addmm", (other, *product.inputs), (), step.output)
    return step


def _mask(step: Step, made: dict[int, Step], plan: Plan, uses: dict[int, int], gone: set[int]) -> Step:
    for position in (0, 1):
        mask, other = made[step.inputs[position]], step.inputs[1 - position]
        if mask.kind == "map" and mask.detail == ("greater",) and _single(mask, uses):
            zero = made[mask.inputs[1]]
            same = plan.shapes[other] == plan.shapes[mask.inputs[0]] == plan.shapes[step.output]
            if zero.kind == "constant" and zero.detail == (0.0,) and same:
                gone.add(mask.output)
                return Step("map", (other, mask.inputs[0]), ("mask",), step.output)
    return step
