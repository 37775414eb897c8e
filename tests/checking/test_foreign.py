"""Checks of code that people bring: whatever it does, there is a report or an error that says what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from pullback.checking.check import check
from pullback.checking.report import Report
from pullback.errors import PullbackError

DRAW = np.random.default_rng(0).standard_normal
X = [DRAW(3)]
CHANCE = np.random.default_rng()


def sine(x: Any) -> Any:
    return np.sin(x)


def cosine(g: Any, x: Any) -> Any:
    return (g * np.cos(x),)


def doubled_in_place(x: Any) -> Any:
    x *= 2
    return x


def gradient_in_place(g: Any, x: Any) -> Any:
    g *= np.cos(x)
    return g


def logarithm(x: Any) -> Any:
    assert (np.real(x) > 0).all(), "must be positive"
    return np.log(x)


def endless(x: Any) -> Any:
    return endless(x)


class Doubling:
    def __call__(self, x: Any) -> Any:
        return 2 * x

    def method(self, x: Any) -> Any:
        return 2 * x


def twice(g: Any, x: Any) -> Any:
    return 2 * g


Checked = Callable[[], Report]

RIGHT: dict[str, Checked] = {
    "one gradient, no tuple": lambda: check(sine, lambda g, x: g * np.cos(x), values=X),
    "a forward pass that changes its argument": lambda: check(doubled_in_place, twice, values=X),
    "a gradient in single precision": lambda: check(sine, lambda g, x: np.float32(g * np.cos(x)), values=X),
    "single precision throughout": lambda: check(lambda x: np.sin(x).astype(np.float32), cosine, values=X),
    "a number in, a number out": lambda: check(lambda x: x**2, lambda g, x: 2 * g * x, values=[3.0]),
    "a Python number out": lambda: check(lambda x: float(np.sum(x)), lambda g, x: g * np.ones(3), values=X),
    "a list": lambda: check(lambda x: np.sum(np.square(x)), lambda g, x: 2 * g * np.array(x), values=[[1.0, 2.0]]),
    "an output with a cache": lambda: check(lambda x: (np.sin(x), None), cosine, values=X),
    "gradients by name": lambda: check(
        lambda a, b: a * b, lambda g, a, b: {"da": g * b, "grad_b": g * a}, values={"a": X[0], "b": X[0]}
    ),
    "a function without names": lambda: check(
        lambda *a: a[0] * a[1], lambda g, a, b: (g * b, g * a), values=[X[0], X[0]]
    ),
    "NumPy's own function": lambda: check(np.sin, cosine, values=X),
    "a partial function": lambda: check(partial(lambda a, x: a * x, 2.0), twice, values=X),
    "a method": lambda: check(Doubling().method, twice, values=X),
    "an object": lambda: check(Doubling(), twice, values=X),
    "not analytic": lambda: check(lambda x: np.abs(x), lambda g, x: g * np.sign(x), values=X),
    "failing at zero": lambda: check(logarithm, lambda g, x: g / x, values=[np.abs(X[0]) + 1]),
    "shapes in place of values": lambda: check(sine, cosine, shapes={"x": ("n",)}),
    "one variable": lambda: check(lambda a, b: a * b, lambda g, a, b: (g * b, g), values=[X[0], X[0]], wrt="a"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_are_right(name: str) -> None:
    report = RIGHT[name]()
    assert report, str(report)


WRONG: dict[str, tuple[Checked, str]] = {
    "a wrong shape": (
        lambda: check(sine, lambda g, x: g[:2], values=X),
        "the gradient of x must have the shape of x, (3,); this has (2,)",
    ),
    "no gradient": (lambda: check(sine, lambda g, x: None, values=X), "given 0, measured"),
    "not a number": (lambda: check(sine, lambda g, x: g * np.nan, values=X), "given nan, measured"),
    "a gradient changed in place": (
        lambda: check(sine, gradient_in_place, values=X),
        "the backward pass changes g in place",
    ),
    "a forgotten name": (
        lambda: check(lambda a, b: a * b, lambda g, a, b: {"a": g * b}, values=[X[0], X[0]]),
        "worst entry b",
    ),
    "no value anywhere": (
        lambda: check(lambda x: np.log(-x * x - 1), cosine, values=X),
        "nothing could be compared",
    ),
    "a kink taken wrongly": (
        lambda: check(lambda x: np.abs(x), lambda g, x: 3 * g * np.sign(x + (x == 0)), values=[np.zeros(2)]),
        "worst entry x",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_are_wrong_and_why(name: str) -> None:
    make, said = WRONG[name]
    report = make()
    assert not report and said in str(report), str(report)


ERRORS: dict[str, tuple[Checked, str]] = {
    "too many gradients": (lambda: check(sine, lambda g, x: (g, g), values=X), "gives 2 gradient"),
    "a text": (lambda: check(sine, lambda g, x: "a", values=X), "the gradient of x is an array of <U1"),
    "an object": (lambda: check(sine, lambda g, x: object(), values=X), "the gradient of x is an array of object"),
    "a name that is no input": (lambda: check(sine, lambda g, x: {"q": g}, values=X), "a gradient for q"),
    "no output": (lambda: check(lambda x: None, cosine, values=X), "the output of the forward pass is"),
    "an error forward": (lambda: check(lambda x: x / X[1], cosine, values=X), "the forward pass fails: IndexError"),
    "an error backward": (lambda: check(sine, lambda g, x: 1 / 0, values=X), "the backward pass fails: ZeroDivision"),
    "leaving": (lambda: check(lambda x: sys.exit(3), cosine, values=X), "the forward pass fails: SystemExit: 3"),
    "recursion": (lambda: check(endless, cosine, values=X), "the forward pass calls itself without end"),
    "chance": (lambda: check(lambda x: x * CHANCE.random(), twice, values=X), "the forward pass gives other numbers"),
    "chance backward": (
        lambda: check(sine, lambda g, x: g * CHANCE.random(), values=X),
        "the backward pass gives other numbers",
    ),
    "no values": (lambda: check(sine, cosine), "example values are needed"),
    "too many values": (lambda: check(sine, cosine, values=[*X, *X]), "there are 2 values for 1 arguments"),
    "too few values": (lambda: check(lambda a, b: a, cosine, values=X), "b has no value"),
    "infinite values": (lambda: check(sine, cosine, values=[np.array([np.inf])]), "not all finite numbers"),
    "an unknown variable": (lambda: check(sine, cosine, values=X, wrt="q"), "q is not an input"),
    "an unknown point": (lambda: check("y = W x", points=["here"]), "no kind of point called 'here'"),
    "a third order": (lambda: check("y = W x", order=3), "derivatives of order 3"),
    "a second order of NumPy": (lambda: check(sine, cosine, values=X, order=2), "no second derivative of its own"),
    "a number": (lambda: check(3, values=X), "a int is not read"),
    "a class": (lambda: check(Doubling, values=X), "Doubling is a class"),
    "formulas": (lambda: check("y = W x", {"W": "g x'"}), "the backward pass is not a function"),  # type: ignore[arg-type]
    "a language": (lambda: check("y = W x", lang="fr"), "no language 'fr'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_is_wrong(name: str) -> None:
    make, said = ERRORS[name]
    with pytest.raises(PullbackError, match=said.replace("(", r"\(")):
        str(make())


def test_kinks_are_left_out() -> None:
    report = check(
        lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), values=[np.array([0.0, 1.0, -1.0])], points=["random"]
    )
    assert report and report.excluded == {"sides: given": 1}
    assert "the slopes from the left and from the right differ" in str(report)


def test_single_precision_is_said() -> None:
    report = check(lambda x: np.sin(x).astype(np.float32), cosine, values=X)
    assert report.single and "single precision" in str(report)


def test_torch_functions_of_all_kinds() -> None:
    torch = pytest.importorskip("torch")

    class Single(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            if x.dtype is not torch.float32:
                raise TypeError("float32 only")
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0].cos()

    class Square(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, times: float) -> Any:
            ctx.save_for_backward(x)
            ctx.times = times
            return times * x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.times * g * ctx.saved_tensors[0], None

    class Surplus(Square):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, None, g

    assert check(Single, values=[torch.ones(3)]).single
    assert check(Square, values=[torch.ones(3), 1.5], order=2)
    with pytest.raises(PullbackError, match="returned an incorrect number of gradients"):
        check(Surplus, values=[torch.ones(3), 1.5])


def test_second_derivatives_of_jax_rules() -> None:
    jax = pytest.importorskip("jax")

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def f(x: Any) -> Any:
        return jax.numpy.sin(x)

    f.defvjp(lambda x: (f(x), x), lambda x, g: (g * jax.numpy.cos(x),))
    report = check(f, values=[DRAW(3)], order=2)
    assert (report and any(e.variable == "H·v of x" for e in (report.worst,) if e)) or report.order == 2
