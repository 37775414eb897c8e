"""NumPy, PyTorch and JAX files."""

from __future__ import annotations

from pullback.backends.dialects import JAX, NUMPY, TORCH, Dialect
from pullback.backends.spelling import Speller, helpers
from pullback.emission.pieces import indented, opening, sample_lines, size_lines
from pullback.emission.subject import Subject
from pullback.planning.steps import Plan

_STEP = "1e-6"


def _spelled(subject: Subject, dialect: Dialect, plan: Plan, results: list[str]) -> list[str]:
    names = {name: subject.names[name] for name in plan.inputs}
    return Speller(plan, dialect, names, results).spell()


def _function(subject: Subject, dialect: Dialect, name: str, lines: list[str], doc: str) -> list[str]:
    given = ", ".join(subject.inputs)
    results = ", ".join(subject.results)
    body = [f'"""{doc}"""', *_needed_sizes(subject, lines), *lines, f"return {results}"]
    return [*_helpers(lines, dialect), f"def {name}({given}):", *indented(body)]


def _needed_sizes(subject: Subject, lines: list[str]) -> list[str]:
    return size_lines(subject)


def _helpers(lines: list[str], dialect: Dialect) -> list[str]:
    return [line for text in helpers(lines, dialect) for line in (*text.rstrip().split("\n"), "", "")]


def numpy_source(subject: Subject) -> str:
    """A plain NumPy function with a self-check by central differences."""
    lines = _spelled(subject, NUMPY, subject.plan, list(subject.results))
    doc = "Give " + ", ".join(subject.results) + "."
    text = [
        *opening(subject, "Derived by pullback; needs NumPy alone."),
        "",
        "import math",
        "",
        "import numpy as np",
        "",
        "",
    ]
    text += _function(subject, NUMPY, subject.name, lines, doc)
    text += ["", "", 'if __name__ == "__main__":', *indented(_check_numpy(subject))]
    if not any("math." in line for line in text):
        text = [
            line
            for k, line in enumerate(text)
            if not (line == "import math" or (line == "" and text[k - 1] == "import math"))
        ]
    return "\n".join(text) + "\n"


def _check_numpy(subject: Subject) -> list[str]:
    given = ", ".join(subject.inputs)
    lines = sample_lines(subject)
    lines.append(f"found = {subject.name}({given})")
    if not subject.wrt:
        return [*lines, 'print("runs:", np.shape(found if not isinstance(found, tuple) else found[0]))']
    weight = subject.upstream or "1.0"
    lines.append(f"values = dict({', '.join(f'{name}={name}' for name in subject.inputs)})")
    lines.append(f"for name, slope in zip({list(subject.wrt)!r}, found[1:]):")
    lines += [
        "    direction = rng.normal(size=np.shape(values[name]))",
        f"    ahead = {subject.name}(**{{**values, name: values[name] + {_STEP} * direction}})[0]",
        f"    behind = {subject.name}(**{{**values, name: values[name] - {_STEP} * direction}})[0]",
        f"    measured = np.sum({weight} * (ahead - behind)) / (2 * {_STEP})",
        "    derived = np.sum(slope * direction)",
        "    assert abs(measured - derived) <= 1e-4 * max(1.0, abs(derived)), (name, measured, derived)",
        'print("derivatives agree with central differences")',
    ]
    return lines


def torch_source(subject: Subject) -> str:
    """A ``torch.autograd.Function`` whose backward pass is the closed form, itself differentiable."""
    head = [*opening(subject, "Derived by pullback; needs PyTorch alone."), "", "import torch", "", ""]
    if not subject.wrt:
        lines = _spelled(subject, TORCH, subject.plan, list(subject.results))
        text = head + _function(subject, TORCH, subject.name, lines, "Give " + ", ".join(subject.results) + ".")
        text += ["", "", 'if __name__ == "__main__":', *indented(_torch_samples(subject))]
        text += indented([f"{subject.name}({', '.join(subject.inputs)})", 'print("runs")'])
        return "\n".join(text) + "\n"
    assert subject.forward is not None
    layer_inputs = [name for name in subject.inputs if name != subject.upstream]
    output = next(iter(subject.results))
    gradients = list(subject.results)[1:]
    forward = _spelled(subject, TORCH, subject.forward, [output])
    backward_lines = _spelled(subject, TORCH, _only_gradients(subject), gradients)
    given = ", ".join(layer_inputs)
    seed = subject.upstream or "grad"
    wanted = {name: gradient for name, gradient in zip(subject.wrt, gradients, strict=True)}
    scaled = [f"{g} = {g} * grad" for g in gradients] if subject.scalar else []
    returned = ", ".join(wanted.get(name, "None") for name in layer_inputs)
    body = [
        *head,
        *_helpers([*forward, *backward_lines], TORCH),
        "class Layer(torch.autograd.Function):",
        '    """The layer with its derived backward pass."""',
        "",
        "    generate_vmap_rule = True",
        "",
        "    @staticmethod",
        f"    def forward({given}):",
        *indented([*size_lines(subject, layer_inputs), *forward, f"return {output}"], 2),
        "",
        "    @staticmethod",
        "    def setup_context(ctx, inputs, output):",
        "        ctx.save_for_backward(*inputs)",
        "",
        "    @staticmethod",
        f"    def backward(ctx, {seed}):",
        *indented(
            [
                f"{given}{',' if len(layer_inputs) == 1 else ''} = ctx.saved_tensors",
                *size_lines(subject, None if subject.upstream else layer_inputs),
                *backward_lines,
                *scaled,
                f"return {returned}",
            ],
            2,
        ),
        "",
        "",
        f"def layer({given}):",
        '    """Apply the layer."""',
        f"    return Layer.apply({given})",
        "",
        "",
        'if __name__ == "__main__":',
        *indented(_torch_samples(subject)),
    ]
    flags = ", ".join(f"{name}.requires_grad_()" if name in subject.wrt else name for name in layer_inputs)
    body += indented(
        [
            f"inputs = ({flags},)",
            "assert torch.autograd.gradcheck(layer, inputs)",
            "assert torch.autograd.gradgradcheck(layer, inputs)",
            'print("gradcheck and gradgradcheck pass")',
        ]
    )
    return "\n".join(body) + "\n"


def _only_gradients(subject: Subject) -> Plan:
    """The plan without the output, which the backward pass does not hand out."""
    from pullback.planning.drafting import without_result

    return without_result(subject.plan, 0)


def _torch_samples(subject: Subject) -> list[str]:
    lines = ["import numpy as np", "", *sample_lines(subject)]
    return [*lines, *(f"{name} = torch.from_numpy(np.asarray({name}, dtype=np.float64))" for name in subject.inputs)]


def jax_source(subject: Subject) -> str:
    """A ``jax.custom_vjp`` pair."""
    head = [
        *opening(subject, "Derived by pullback; needs JAX alone."),
        "",
        "import jax",
        "import jax.numpy as jnp",
        "",
        "",
    ]
    given = ", ".join(subject.inputs)
    samples = ["import numpy as np", "", 'jax.config.update("jax_enable_x64", True)', *sample_lines(subject)]
    samples += [f"{name} = jnp.asarray({name})" for name in subject.inputs]
    if not subject.wrt:
        lines = _spelled(subject, JAX, subject.plan, list(subject.results))
        text = head + _function(subject, JAX, subject.name, lines, "Give " + ", ".join(subject.results) + ".")
        text += [
            "",
            "",
            'if __name__ == "__main__":',
            *indented([*samples, f"jax.jit({subject.name})({given})", 'print("runs")']),
        ]
        return "\n".join(text) + "\n"
    assert subject.forward is not None
    layer_inputs = [name for name in subject.inputs if name != subject.upstream]
    output = next(iter(subject.results))
    gradients = list(subject.results)[1:]
    forward = _spelled(subject, JAX, subject.forward, [output])
    backward_lines = _spelled(subject, JAX, _only_gradients(subject), gradients)
    given = ", ".join(layer_inputs)
    seed = subject.upstream or "grad"
    wanted = {name: gradient for name, gradient in zip(subject.wrt, gradients, strict=True)}
    scaled = [f"{g} = {g} * grad" for g in gradients] if subject.scalar else []
    returned = ", ".join(wanted.get(name, f"jnp.zeros_like({name})") for name in layer_inputs)
    comma = "," if len(layer_inputs) == 1 else ""
    text = [
        *head,
        *_helpers([*forward, *backward_lines], JAX),
        "@jax.custom_vjp",
        f"def layer({given}):",
        '    """The layer with its derived backward pass."""',
        *indented([*size_lines(subject, layer_inputs), *forward, f"return {output}"]),
        "",
        "",
        f"def layer_forward({given}):",
        '    """The output, and what the backward pass needs."""',
        f"    return layer({given}), ({given}{comma})",
        "",
        "",
        f"def layer_backward(kept, {seed}):",
        '    """The gradient by every input."""',
        *indented([f"{given}{comma} = kept", *size_lines(subject, None if subject.upstream else layer_inputs)]),
        *indented([*backward_lines, *scaled, f"return {returned}{',' if len(layer_inputs) == 1 else ''}"]),
        "",
        "",
        "layer.defvjp(layer_forward, layer_backward)",
        "",
        "",
        'if __name__ == "__main__":',
        *indented(samples),
        *indented(["from jax.test_util import check_grads", ""]),
    ]
    by = ", ".join(subject.wrt)
    text += indented(
        [
            f"check_grads(lambda {by}: layer({given}), ({by},), order=2, modes=['rev'], atol=1e-3, rtol=1e-3)",
            'print("check_grads passes")',
        ]
    )
    return "\n".join(text) + "\n"
