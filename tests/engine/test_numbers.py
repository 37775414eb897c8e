"""Numbers of every size: printed so that people and the parser can read them, and bounded."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiling import compile_program

PRINTED = [
    ("1e-8 x' x", "2e-8 x", r"2 \cdot 10^{-8} x"),
    ("1.5e-7 x' x", "3e-7 x", r"3 \cdot 10^{-7} x"),
    ("1e20 x' x", "2e20 x", r"2 \cdot 10^{20} x"),
    ("-1e20 x' x", "-2e20 x", r"-2 \cdot 10^{20} x"),
    ("x' x / 1e300", "2e-300 x", r"2 \cdot 10^{-300} x"),
    ("x' x / 3e-20", "2e20/3 x", r"\frac{2 \cdot 10^{20}}{3} x"),
    ("sum(exp(1e300 x))", "1e300 exp(1e300 x)", r"10^{300} \exp\left(10^{300} x\right)"),
    ("sum(x.^1e308)", "1e308 x.^(1e308 - 1)", r"10^{308} x^{\circ 10^{308} - 1}"),
    ("0.0001 x' x", "0.0002 x", "0.0002 x"),
    ("123456789012345 x' x", "246913578024690 x", "246913578024690 x"),
    ("9007199254740993 x' x", "18014398509481986 x", "18014398509481986 x"),
]


@pytest.mark.parametrize(("text", "plain", "latex"), PRINTED)
def test_large_and_small_numbers_are_printed_with_powers_of_ten(text: str, plain: str, latex: str) -> None:
    gradient = pb.gradient(text, "x")
    assert (str(gradient), gradient.latex()) == (plain, latex)
    for printed in (plain, latex, gradient.unicode()):
        assert pb.parse(printed).output.node is gradient.node


def test_what_is_beyond_floating_point_is_infinite() -> None:
    gradient = pb.gradient("1e308^20 x' x", "x")
    assert gradient.evaluate(x=[1.0, -1.0]).tolist() == [np.inf, -np.inf]
    assert pb.gradient("sum(x.^1e308)", "x").evaluate(x=[1.0, 2.0]).tolist() == [1e308, np.inf]
    value, gradients = compile_program("1e308 * 1e308 * x' x")(x=np.array([1.0, 2.0]))
    assert value == np.inf and gradients["x"].tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    "text", ["1e308 * 1e308 * x' x", " * ".join(["1e308"] * 3000) + " * x' x", "sum(x.^(1e308 * 1e308))"]
)
def test_numbers_that_are_too_long_to_be_written_are_refused(text: str) -> None:
    with pytest.raises(pb.UnsupportedError, match="digits"):
        str(pb.gradient(text, "x"))


def test_powers_of_powers_cost_nothing() -> None:
    assert str(pb.gradient("((1e308^512)^512)^512 x' x", "x")) == "2 * 1e308^134217728 x"
