"""Triton for the linear layer family: a product with its bias and entrywise function in one kernel."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.deriving import parse
from pullback.emission.drafting import Drawn, draw_up
from pullback.emission.files import closure, docstring, head, indented, size_lines
from pullback.emission.subject import subject_of_program
from pullback.errors import UnsupportedError
from pullback.planning.steps import Step
from pullback.spelling.dialects import Dialect
from pullback.spelling.speller import Speller

_FUNCTIONS = {
    "exp": "tl.exp({0})", "log": "tl.log({0})", "sin": "tl.sin({0})", "cos": "tl.cos({0})", "sqrt": "tl.sqrt({0})",
    "abs": "tl.abs({0})", "erf": "tl.erf({0})", "sigmoid": "tl.sigmoid({0})", "tanh": "2 * tl.sigmoid(2 * {0*}) - 1",
    "relu": "tl.maximum({0}, 0)", "softplus": "tl.maximum({0}, 0) + tl.log(1 + tl.exp(-tl.abs({0})))",
    "silu": "{0*} * tl.sigmoid({0})", "leaky_relu": "tl.maximum({0}, 0.01 * {0*})", "maximum": "tl.maximum({0}, {1})",
    "gelu": "0.5 * {0*} * (1 + tl.erf(0.7071067811865476 * {0*}))", "step": "tl.where({0*} > 0, 1.0, 0.0)",
    "sign": "tl.where({0*} > 0, 1.0, tl.where({0*} < 0, -1.0, 0.0))", "minimum": "tl.minimum({0}, {1})",
    "square": "{0*} * {0*}",
}  # fmt: skip
_ACTIVATIONS = frozenset(_FUNCTIONS) - {"step", "sign", "maximum", "minimum", "square"}
TRITON = Dialect("triton", "tl", _FUNCTIONS, {}, {}, cast="tl.where({0}, 1.0, 0.0)")


def _family() -> UnsupportedError:
    return UnsupportedError(
        "Triton is emitted for the linear layer family: y = f(W x + b) over a batch, with or without b and f",
        hint='such as "batch B: y = relu(W x + b)"',
    )


_KERNELS = '''\
@triton.jit
def product(a, b, c, z, out, rows, columns, inner, a_row, a_column, b_row, b_column,
            BIAS: tl.constexpr, KEEP: tl.constexpr, ACTIVATE: tl.constexpr,
            ROWS: tl.constexpr, COLUMNS: tl.constexpr, INNER: tl.constexpr):
    """One tile of out = f(a b + c): the strides make transposes free, z keeps what f is applied to."""
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    s = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    for start in range(0, inner, INNER):
        k = start + tl.arange(0, INNER)
        left = tl.load(a + r[:, None] * a_row + k[None, :] * a_column,
                       mask=(r[:, None] < rows) & (k[None, :] < inner), other=0.0)
        right = tl.load(b + k[:, None] * b_row + s[None, :] * b_column,
                        mask=(k[:, None] < inner) & (s[None, :] < columns), other=0.0)
        total += tl.dot(left, right, input_precision="ieee")
    if BIAS:
        total += tl.load(c + s, mask=s < columns, other=0.0).to(tl.float32)[None, :]
    place = r[:, None] * columns + s[None, :]
    inside = (r[:, None] < rows) & (s[None, :] < columns)
    if KEEP:
        tl.store(z + place, total.to(z.dtype.element_ty), mask=inside)
    if ACTIVATE:
        total = activation(total)
    tl.store(out + place, total.to(out.dtype.element_ty), mask=inside)
'''

_SUMS = '''\
@triton.jit
def column_sums(a, out, rows, columns, a_row, a_column, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """out = the sum of the rows of a."""
    s = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros((COLUMNS,), dtype=tl.float32)
    for start in range(0, rows, ROWS):
        r = start + tl.arange(0, ROWS)
        inside = (r[:, None] < rows) & (s[None, :] < columns)
        part = tl.load(a + r[:, None] * a_row + s[None, :] * a_column, mask=inside, other=0.0)
        total += tl.sum(part.to(tl.float32), axis=0)
    tl.store(out + s, total.to(out.dtype.element_ty), mask=s < columns)
'''

_SLOPES = '''\
@triton.jit
def slopes(g, z, out, count, columns, g_row, g_column, SIZE: tl.constexpr):
    """out = g times the derivative of the activation at z."""
    k = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    inside = k < count
    above = tl.load(g + k // columns * g_row + k % columns * g_column, mask=inside, other=0.0).to(tl.float32)
    here = tl.load(z + k, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + k, slope(above, here).to(out.dtype.element_ty), mask=inside)
'''


@dataclass(frozen=True)
class _Layer:
    """Which input is what: Y = f(X W' + b), or X W where the weight stands as it is."""

    x: str
    weight: str
    turned: bool
    bias: str | None
    activation: str | None


def triton_source(drawn: Drawn) -> str:
    """The layer with its backward pass, as a ``torch.autograd.Function`` over the kernels."""
    layer = _recognised(drawn)
    definitions = [_KERNELS]
    if layer.activation is not None:
        definitions = [*_activation(layer.activation), _KERNELS, _SLOPES]
    if layer.bias is not None and layer.bias in drawn.wrt:
        definitions.append(_SUMS)
    definitions += [_multiply(layer), *_function(drawn, layer)]
    lines = head(drawn, "Needs PyTorch and Triton.", "Run as a script, it compares itself with PyTorch; without a GPU,")
    top = [*docstring([*lines, "TRITON_INTERPRET=1 in the environment runs the kernels on the CPU."]), ""]
    top += ["import torch", "import triton", "import triton.language as tl"]
    tail = ['if __name__ == "__main__":', *indented(_check(drawn, layer))]
    return "\n\n\n".join(["\n".join(top), *(text.rstrip("\n") for text in definitions), "\n".join(tail)]) + "\n"


def _recognised(drawn: Drawn) -> _Layer:
    """Read the layer off the plan; everything else is refused."""
    plan = drawn.plan
    made = {step.output: step for step in plan.steps}
    named = {slot: drawn.names[key] for key, (slot, _) in plan.inputs.items()}
    if drawn.upstream is None or len(plan.results[0].shape) != 2:
        raise _family()
    activation = bias = None
    step, flipped = _unturned(made[plan.results[0].slot], made)
    if step.kind == "map" and len(step.inputs) == 1 and step.detail[0] in _ACTIVATIONS:
        activation = str(step.detail[0])
        step, again = _unturned(made[step.inputs[0]], made)
        flipped ^= again
    if step.kind == "map" and step.detail == ("add",):
        sides = [_unturned(made[k], made) for k in step.inputs]
        product = next((side for side in sides if side[0].kind == "dot"), None)
        other = next((side[0] for side in sides if side is not product), None)
        while other is not None and other.kind == "shape":
            other = made[other.inputs[0]]
        if product is None or other is None or other.output not in named or len(plan.shapes[other.output]) != 1:
            raise _family()
        bias, step, flipped = named[other.output], product[0], flipped ^ product[1]
    if step.kind != "dot":
        raise _family()
    (first, a), (second, b) = (_unturned(made[k], made) for k in step.inputs)
    if flipped:
        first, a, second, b = second, not b, first, not a
    if a or first.output not in named or second.output not in named or first is second:
        raise _family()
    rows = plan.results[0].shape[1]
    if bias is not None and plan.shapes[plan.inputs[_key(drawn, bias)][0]] != (rows,):
        raise _family()
    return _Layer(named[first.output], named[second.output], b, bias, activation)


def _key(drawn: Drawn, name: str) -> str:
    return next(key for key, own in drawn.names.items() if own == name)


def _unturned(step: Step, made: dict[int, Step]) -> tuple[Step, bool]:
    """What a transpose is of, and whether it was one."""
    turned = False
    while step.kind == "permute":
        step, turned = made[step.inputs[0]], not turned
    return step, turned


def _activation(name: str) -> list[str]:
    """The function and its derivative, as Triton functions of tiles."""
    subject = subject_of_program(parse(f"y = {name}(z)", {"z": ()}), upstream="g")
    drawn = draw_up(subject, TRITON.known, frozenset({"tl", "triton"}))
    names = {key: drawn.names[key] for key in drawn.plan.inputs}
    lines = Speller(drawn.plan, TRITON, names, list(drawn.results), like="z").spell()

    def function(called: str, parameters: str, result: str, doc: str) -> str:
        body = [str(line) for line in closure(lines, [result])]
        text = ["@triton.jit", f"def {called}({parameters}):", f'    """{doc}"""', *("    " + line for line in body)]
        return "\n".join([*text, f"    return {result}"])

    derived = subject.derived[-1].partition(" = ")[2]
    return [
        function("activation", "z", drawn.output, f"{name} of every entry."),
        function("slope", "g, z", drawn.wrt["z"], f"g times the derivative of {name} at z, {derived}."),
    ]


def _multiply(layer: _Layer) -> str:
    parameters = (
        ["a", "b"] + (["c=None"] if layer.bias else []) + (["z=None", "activate=False"] if layer.activation else [])
    )
    bias = ("out if c is None else c", "c is not None") if layer.bias else ("out", "False")
    kept = ("out if z is None else z", "z is not None", "activate") if layer.activation else ("out", "False", "False")
    return "\n".join([
        f"def multiply({', '.join(parameters)}):",
        '    """a b of two matrices, which may be transposed views."""',
        "    rows, inner, columns = *a.shape, b.shape[1]",
        "    out = torch.empty((rows, columns), device=a.device, dtype=a.dtype)",
        "    grid = (triton.cdiv(rows, 32), triton.cdiv(columns, 32))",
        f"    product[grid](a, b, {bias[0]}, {kept[0]}, out,",
        "                  rows, columns, inner, *a.stride(), *b.stride(),",
        f"                  BIAS={bias[1]}, KEEP={kept[1]}, ACTIVATE={kept[2]}, ROWS=32, COLUMNS=32, INNER=32)",
        "    return out",
    ])  # fmt: skip


def _function(drawn: Drawn, layer: _Layer) -> list[str]:
    """The autograd function, and the function that people call."""
    given, x, weight, g = drawn.layer_inputs, layer.x, layer.weight, str(drawn.upstream)
    called = "".join(part.capitalize() for part in drawn.name.split("_"))
    right = f"{weight}.T" if layer.turned else weight
    y = drawn.output
    keeps = layer.activation is not None
    text = [
        f"class {called}(torch.autograd.Function):",
        f'    """{"; ".join(drawn.subject.stated)}, with its derived backward pass."""',
    ]
    text += ["", "    @staticmethod", f"    def forward({', '.join(given)}):"]
    text += indented(size_lines(drawn, given, (), "torch"), 2)
    bias = f", {layer.bias}" if layer.bias else ""
    if keeps:
        rows, columns = f"{x}.shape[0]", f"{right}.shape[1]"
        text.append(f"        z = torch.empty(({rows}, {columns}), device={x}.device, dtype={x}.dtype)")
        extra = f"{bias}, z=z, activate=True"
        text += [f"        {y} = multiply({x}, {right}{extra})", f"        return {y}, z"]
    else:
        text += [f"        return multiply({x}, {right}{bias})"]
    text += ["", "    @staticmethod", "    def setup_context(ctx, inputs, output):"]
    names = ", ".join(name if name in (x, weight) else "_" for name in given)
    text.append(f"        {names}{',' if len(given) == 1 else ''} = inputs")
    if keeps:
        text += [
            "        ctx.mark_non_differentiable(output[1])",
            f"        ctx.save_for_backward({x}, {weight}, output[1])",
        ]
    else:
        text += [f"        ctx.save_for_backward({x}, {weight})"]
    text += ["", "    @staticmethod", "    @torch.autograd.function.once_differentiable"]
    text += [f"    def backward(ctx, {g}{', _' if keeps else ''}):"]
    text.append(f"        {x}, {weight}{', z' if keeps else ''} = ctx.saved_tensors")
    dz = g
    if keeps:
        dz = "dz"
        text += [
            "        dz = torch.empty_like(z)",
            "        grid = (triton.cdiv(z.numel(), 1024),)",
            f"        slopes[grid]({g}, z, dz, z.numel(), z.shape[1], *{g}.stride(), SIZE=1024)",
        ]
    notes = dict(
        zip(
            [label for label in drawn.subject.labels if label is not None],
            drawn.subject.derived[-len(drawn.wrt) :],
            strict=False,
        )
    )
    made = {
        x: f"multiply({dz}, {weight})" if layer.turned else f"multiply({dz}, {weight}.T)",
        weight: f"multiply({dz}.T, {x})" if layer.turned else f"multiply({x}.T, {dz})",
    }
    text.append(f"        {' = '.join(drawn.wrt.values())} = None")
    for name, gradient in drawn.wrt.items():
        text.append(f"        if ctx.needs_input_grad[{given.index(name)}]:")
        if name == layer.bias:
            text.append(f"            {gradient} = {dz}.new_empty({dz}.shape[1])")
            text.append(f"            grid = (triton.cdiv({dz}.shape[1], 32),)")
            text.append(
                f"            column_sums[grid]({dz}, {gradient}, *{dz}.shape, *{dz}.stride(), ROWS=32, COLUMNS=32)"
            )
        else:
            note = notes.get(name, "") if not keeps else ""
            text.append(f"            {gradient} = {made[name]}" + (f"  # {note}" if note else ""))
    text.append(f"        return {', '.join(drawn.wrt.get(name, 'None') for name in given)}")
    function = [
        f"def {drawn.name}({', '.join(given)}):",
        f'    """{"; ".join(drawn.subject.stated)}, with its derived backward pass."""',
        f"    return {called}.apply({', '.join(given)}){'[0]' if keeps else ''}",
    ]
    return ["\n".join(text), "\n".join(function)]


_PYTORCH = {
    "exp": "torch.exp({0})", "log": "torch.log({0})", "sin": "torch.sin({0})", "cos": "torch.cos({0})",
    "sqrt": "torch.sqrt({0})", "abs": "torch.abs({0})", "erf": "torch.erf({0})", "sigmoid": "torch.sigmoid({0})",
    "tanh": "torch.tanh({0})", "relu": "torch.relu({0})", "softplus": "torch.nn.functional.softplus({0})",
    "silu": "torch.nn.functional.silu({0})", "leaky_relu": "torch.nn.functional.leaky_relu({0})",
    "gelu": "torch.nn.functional.gelu({0})",
}  # fmt: skip


def _check(drawn: Drawn, layer: _Layer) -> list[str]:
    shapes = {layer.x: (70, 50), layer.weight: (40, 50) if layer.turned else (50, 40), layer.bias: (40,)}
    given = drawn.layer_inputs
    right = f"{layer.x} @ {layer.weight}{'.T' if layer.turned else ''}{f' + {layer.bias}' if layer.bias else ''}"
    if layer.activation is not None:
        right = _PYTORCH[layer.activation].format(right)
    drawn_inputs = ", ".join(f"torch.rand({shapes[name]}, device=device)" for name in given)
    comma = "," if len(given) == 1 else ""
    flags = f"for tensor in ({', '.join(drawn.wrt)}{',' if len(drawn.wrt) == 1 else ''}):"
    asked = f"({', '.join(drawn.wrt)}{',' if len(drawn.wrt) == 1 else ''})"
    return [
        "import os",
        "",
        'device = "cuda" if torch.cuda.is_available() else "cpu"',
        'if device == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":',
        '    raise SystemExit("no GPU here; TRITON_INTERPRET=1 in the environment runs the kernels on the CPU")',
        "torch.manual_seed(0)",
        f"{', '.join(given)}{comma} = {drawn_inputs}{comma}",
        flags,
        "    tensor.requires_grad_()",
        f"found, right = {drawn.name}({', '.join(given)}), {right}",
        "seed = torch.rand(right.shape, device=device)",
        f"derived = torch.autograd.grad(found, {asked}, seed)",
        f"known = torch.autograd.grad(right, {asked}, seed)",
        f"names = {['output', *(f'dL/d{name}' for name in drawn.wrt)]!r}".replace("'", '"'),
        "for name, one, two in zip(names, (found, *derived), (right, *known)):",
        "    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-3)",
        '    print(f"{name} agrees with PyTorch")',
    ]
