"""Emitted autograd functions: derivatives of both orders, vmap, types, and no more than is asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pullback.emission.emitting import emit_program
from tests.emission.programs import PROGRAMS
from tests.emission.running import namespace

LAYERS = ["linear", "linear over a batch", "deep vector network", "network", "attention", "layer norm", "gaussian"]


def drawn(name: str, dtype: torch.dtype = torch.float64) -> tuple[Any, list[Any]]:
    """The layer, and inputs on which it is well behaved."""
    source = emit_program(PROGRAMS[name], "torch")
    scope = namespace(source)
    body = source.partition('if __name__ == "__main__":\n')[2].partition("    torch.autograd.gradcheck")[0]
    made: dict[str, Any] = {"torch": torch, "math": __import__("math")}
    exec("\n".join(line[4:] for line in body.splitlines()), made)
    layer = scope.get("layer") or scope["loss"]
    return layer, [tensor.detach().to(dtype).requires_grad_() for tensor in made["inputs"]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradcheck_and_gradgradcheck(name: str) -> None:
    source = emit_program(PROGRAMS[name], "torch")
    exec(compile(source, "<emitted>", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("name", LAYERS)
def test_a_second_derivative_is_that_of_autograd(name: str) -> None:
    layer, inputs = drawn(name)
    plain = namespace(emit_program(PROGRAMS[name], "torch"))
    forward = next(value for key, value in plain.items() if isinstance(value, type)).forward  # type: ignore[attr-defined]

    def second(function: Any) -> Any:
        first = torch.autograd.grad(function(*inputs).sin().sum(), inputs, create_graph=True)
        return torch.autograd.grad(torch.stack([part.square().sum() for part in first]).sum(), inputs)

    for found, right in zip(second(layer), second(forward), strict=True):
        torch.testing.assert_close(found, right)


@pytest.mark.parametrize("name", LAYERS)
def test_vmap_over_a_leading_axis(name: str) -> None:
    layer, inputs = drawn(name)
    stacked = [torch.stack([tensor, tensor * 1.1, tensor * 0.9]).detach() for tensor in inputs]
    places = tuple(range(len(inputs)))
    gradient = torch.func.grad(lambda *given: layer(*given).sum(), places)
    found = torch.vmap(gradient)(*stacked)
    for k in range(3):
        alone = gradient(*(tensor[k] for tensor in stacked))
        for one, right in zip(found, alone, strict=True):
            torch.testing.assert_close(one[k], right)


@pytest.mark.parametrize("name", LAYERS)
def test_the_type_of_the_inputs_is_kept(name: str) -> None:
    layer, inputs = drawn(name, torch.float32)
    output = layer(*inputs)
    assert output.dtype == torch.float32
    gradients = torch.autograd.grad(output.sum(), inputs)
    assert {gradient.dtype for gradient in gradients} == {torch.float32}


def test_only_what_is_needed_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, (W, x, b) = drawn("linear")
    outer, called = torch.outer, []

    def counted(*given: Any) -> Any:
        called.append("outer")
        return outer(*given)

    monkeypatch.setattr(torch, "outer", counted)
    torch.autograd.grad(layer(W.detach(), x, b).sum(), [x, b])
    assert called == []
    torch.autograd.grad(layer(W, x, b).sum(), [W])
    assert called == ["outer"]


def test_wrong_shapes_are_refused() -> None:
    layer, _ = drawn("linear")
    with pytest.raises(AssertionError, match=r"x is \(2,\), not \(3,\)"):
        layer(torch.ones(4, 3), torch.ones(2), torch.ones(4))
