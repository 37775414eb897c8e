"""Triton for the linear layer family: the products with bias and entrywise function in one kernel each."""

from __future__ import annotations

from pullback.emission.pieces import docstring
from pullback.emission.subject import Subject
from pullback.errors import UnsupportedError

_KERNEL = '''
@triton.jit
def product(a, b, c, out, rows, columns, inner, a_row, a_col, b_row, b_col, out_row, HAS_BIAS: tl.constexpr,
            ROWS: tl.constexpr, COLUMNS: tl.constexpr, INNER: tl.constexpr):
    """One tile of out = a b (+ c on every row); strides make transposes free."""
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    s = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    for start in range(0, inner, INNER):
        k = start + tl.arange(0, INNER)
        inside = (r[:, None] < rows) & (k[None, :] < inner)
        left = tl.load(a + r[:, None] * a_row + k[None, :] * a_col, mask=inside, other=0.0)
        inside = (k[:, None] < inner) & (s[None, :] < columns)
        right = tl.load(b + k[:, None] * b_row + s[None, :] * b_col, mask=inside, other=0.0)
        total += tl.dot(left, right, input_precision="ieee")
    if HAS_BIAS:
        total += tl.load(c + s, mask=s < columns, other=0.0)[None, :]
    tl.store(out + r[:, None] * out_row + s[None, :], total, mask=(r[:, None] < rows) & (s[None, :] < columns))


@triton.jit
def column_sums(a, out, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """out = sum of a over its rows."""
    s = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros((COLUMNS,), dtype=tl.float32)
    for start in range(0, rows, ROWS):
        r = start + tl.arange(0, ROWS)
        inside = (r[:, None] < rows) & (s[None, :] < columns)
        total += tl.sum(tl.load(a + r[:, None] * columns + s[None, :], mask=inside, other=0.0), axis=0)
    tl.store(out + s, total, mask=s < columns)


def multiply(a, b, bias=None):
    """Multiply two matrices, transposed views included."""
    out = torch.empty((a.shape[0], b.shape[1]), device=a.device, dtype=torch.float32)
    grid = (triton.cdiv(out.shape[0], 32), triton.cdiv(out.shape[1], 32))
    rows, inner, columns = *a.shape, b.shape[1]
    product[grid](a, b, out if bias is None else bias, out, rows, columns, inner, *a.stride(), *b.stride(),
                  out.stride(0), bias is not None, ROWS=32, COLUMNS=32, INNER=32)
    return out
'''


def triton_source(subject: Subject) -> str:
    """The linear layer Y = X W' (+ b) over a batch, with its backward pass."""
    weight, x, bias, g = _roles(subject)
    names = list(subject.results)
    made = {name: f"d{name}" for name in subject.wrt}
    lines = [f"{names[0]} = multiply({x}, {weight}.T{f', {bias}' if bias else ''})"]
    for name in subject.wrt:
        if name == weight:
            lines.append(f"{made[name]} = multiply({g}.T, {x})")
        elif name == x:
            lines.append(f"{made[name]} = multiply({g}, {weight})")
        else:
            lines.append(f"{made[name]} = torch.empty_like({bias})")
            lines.append(
                f"column_sums[(triton.cdiv({g}.shape[1], 32),)]({g}, {made[name]}, *{g}.shape, ROWS=32, COLUMNS=32)"
            )
    given = ", ".join(name for name in (x, weight, bias, g) if name)
    returned = ", ".join([names[0], *(made[name] for name in subject.wrt)])
    check = [
        'if not torch.cuda.is_available():\n    raise SystemExit("no GPU here: the kernels were parsed, not run")',
        f"{x}, {weight}, {g} = (torch.randn(s, device='cuda') for s in ((70, 50), (40, 50), (70, 40)))",
        *([f"{bias} = torch.randn(40, device='cuda')"] if bias else []),
        f"found = layer({given})",
        f"right = [{x} @ {weight}.T{f' + {bias}' if bias else ''}, "
        + ", ".join({weight: f"{g}.T @ {x}", x: f"{g} @ {weight}"}.get(n, f"{g}.sum(0)") for n in subject.wrt)
        + "]",
        "assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(found, right))",
        'print("agrees with PyTorch")',
    ]
    text = [*docstring(["Derived by pullback; needs PyTorch and Triton.", "", *("    " + c for c in subject.closed)])]
    text += ["", "import torch", "import triton", "import triton.language as tl", "", _KERNEL]
    text += ["", f"def layer({given}):", '    """The output, and the gradients by the inputs."""']
    text += [
        "    " + line for line in (f"assert {x}.shape[1] == {weight}.shape[1], ({x}.shape, {weight}.shape)", *lines)
    ]
    text += [f"    return {returned}", "", "", 'if __name__ == "__main__":']
    text += ["    " + part for line in check for part in line.split("\n")]
    return "\n".join(text) + "\n"


def _roles(subject: Subject) -> tuple[str, str, str | None, str]:
    """Which input is what, read off the plan: X times a transposed W, perhaps plus a row."""
    plan = subject.plan
    made = {step.output: step for step in plan.steps}
    by_slot = {slot: subject.names[name] for name, (slot, _) in plan.inputs.items()}
    step = made[plan.results[0].slot]
    bias: str | None = None
    if step.kind == "map" and step.detail == ("add",):
        parts = [made[k] for k in step.inputs]
        product = next((p for p in parts if p.kind == "dot"), None)
        other = next((p for p in parts if p is not product), None)
        while other is not None and other.kind == "shape":
            other = made[other.inputs[0]]
        if product is not None and other is not None and len(plan.shapes[other.output]) == 1:
            bias, step = by_slot.get(other.output), product
        if bias is None:
            raise UnsupportedError(
                "Triton is emitted for the linear layer family", hint='such as "batch B: y = W x + b"'
            )
    if step.kind == "dot" and subject.upstream is not None and len(plan.shapes[step.output]) == 2:
        first, second = (made[k] for k in step.inputs)
        if first.kind == "input" and second.kind == "permute" and second.inputs[0] in by_slot:
            return by_slot[second.inputs[0]], by_slot[first.output], bias, subject.upstream
    raise UnsupportedError("Triton is emitted for the linear layer family", hint='such as "batch B: y = W x + b"')
