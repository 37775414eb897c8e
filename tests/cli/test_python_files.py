"""Programs that are Python on the command line: ``my_layer.py:forward``; and audits, checks and practice there."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from .running import Outcome, Run

NUMPY = """\
import numpy as np

def forward(W, x, b):
    z = W @ x + b
    return np.tanh(z)

def backward(g, W, x, b):
    z = W @ x + b
    dz = g * (1 - np.tanh(z))
    return np.outer(dz, x), W.T @ dz, dz

def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()

def softmax_backward(g, x):
    p = softmax(x)
    return p * (g - g @ p)

def unreadable(x):
    return np.sort(x)

class Linear:
    def __init__(self):
        self.W = np.ones((3, 2))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, g):
        self.dW = g.T @ self.x
        return g @ self.W.T

program = "y = W x"
"""
TORCH = """\
import torch

class MyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return torch.relu(x @ w)
    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
    def forward(self, x):
        return torch.relu(self.linear(x))
"""
JAX = """\
import jax
import jax.numpy as jnp

@jax.custom_vjp
def swish(x):
    return x * jax.nn.sigmoid(x)

def swish_fwd(x):
    return swish(x), x

def swish_bwd(x, g):
    return (g * jax.nn.sigmoid(x),)

swish.defvjp(swish_fwd, swish_bwd)
"""
SHAPES = ("--shape", "W=2,3", "--shape", "x=3", "--shape", "b=2")


@pytest.fixture
def files(tmp_path: Path) -> None:
    """Files of a user in the folder where the command is run."""
    for name, text in (("layer.py", NUMPY), ("tlayer.py", TORCH), ("jlayer.py", JAX)):
        (tmp_path / name).write_text(text, encoding="utf-8")


def said(outcome: Outcome) -> list[str]:
    return [line.strip() for line in outcome.out.splitlines()]


@pytest.mark.usefixtures("files")
def test_a_function_is_derived_and_running_it_is_said(run: Run) -> None:
    outcome = run("derive", "layer.py:forward", *SHAPES)
    assert outcome.code == 0 and outcome.err == "this runs the Python code of layer.py\n"
    assert "tanh" in outcome.out
    backward = run("backward", "layer.py:forward", *SHAPES)
    assert "dL/db = g .* r" in said(backward)


@pytest.mark.usefixtures("files")
def test_what_can_not_be_read_is_refused_with_its_place(run: Run) -> None:
    outcome = run("derive", "layer.py:unreadable", "--shape", "x=3")
    assert outcome.code == 2 and "numpy.sort is not read" in outcome.err and "layer.py:21" in outcome.err
    assert run("derive", "layer.py:nothing").code == 2
    assert "there is no file" in run("derive", "gone.py:f").err
    assert "--shape x=m,n" in run("derive", "layer.py:softmax").err


@pytest.mark.usefixtures("files")
def test_the_backward_pass_beside_it_is_audited(run: Run) -> None:
    outcome = run("audit", "layer.py:forward", *SHAPES)
    assert outcome.code == 1
    assert "a square is missing in the derivative of tanh" in outcome.out
    assert "[layer.py:5  return np.tanh(z)]" in outcome.out
    fine = run("audit", "layer.py:softmax", "--shape", "x=4")
    assert fine.code == 0 and "right: dL/dx" in fine.out
    layer = run("audit", "layer.py:Linear", "--shape", "x=4,3")
    assert layer.code == 1 and "it is the transpose of the right gradient" in layer.out
    korean = run("audit", "layer.py:forward", *SHAPES, "--lang", "ko")
    assert "틀렸습니다: dL/dx" in korean.out


@pytest.mark.usefixtures("files")
def test_it_is_checked(run: Run) -> None:
    outcome = run("check", "layer.py:forward", *SHAPES)
    assert outcome.code == 1 and "worst entry" in outcome.out
    assert run("check", "layer.py:softmax", "--shape", "x=4").code == 0
    given = run("check", "layer.py:softmax", "--backward", "layer.py:softmax_backward", "--shape", "x=4")
    assert given.code == 0


@pytest.mark.usefixtures("files")
def test_frameworks(run: Run) -> None:
    pytest.importorskip("torch")
    outcome = run("audit", "tlayer.py:MyFunction", "--shape", "x=5,3", "--shape", "w=3,2")
    assert outcome.code == 1 and "the derivative of relu is missing" in outcome.out
    module = run("backward", "tlayer.py:Net", "--shape", "x=5,3")
    assert module.code == 0 and "step(" in module.out
    pytest.importorskip("jax")
    swish = run("audit", "jlayer.py:swish", "--shape", "x=4")
    assert swish.code == 1 and "wrong: dL/dx" in swish.out


@pytest.mark.parametrize(
    ("claim", "code", "text"),
    [
        ("W = g x'", 0, "right: dL/dW = g x'"),
        ("W = x g'", 1, "it is the transpose of the right gradient"),
        ("x = dL/dy @ W", 1, "a transpose are wrong"),
        ("W", 2, "has no ="),
        ("V = g x'", 2, "V is not an input"),
        ("W = g q'", 2, "q is not in the program"),
    ],
)
def test_claims(run: Run, claim: str, code: int, text: str) -> None:
    outcome = run("audit", "y = W x", "--claim", claim)
    assert outcome.code == code
    assert text in outcome.out + outcome.err


def test_practice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(answers: str, *arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        return run("practice", *arguments, "--lang", "en")

    outcome = asked("x g'\ng x'\n", "y = W x", "--wrt", "W")
    assert outcome.code == 0 and "Solved: 1" in outcome.out and "your own program: 1 of 1" in outcome.out
    assert "Solved: 0" in asked("", "--topic", "generated", "--count", "2").out
    assert "there is no topic 'x'" in asked("", "--topic", "x").err
