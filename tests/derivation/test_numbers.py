"""Every number on the board is right: all sides of a line agree, computed by other means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.rendering.derivation import derive
from pullback.rendering.mathml import label
from tests.derivation.blackboard import compared
from tests.derivation.examples import LAYERS, LECTURE, draw

ROUNDED = 4e-3
"""Numbers inside a line have four digits."""


def disagreements(text: str, values: dict[str, Any], **choices: Any) -> tuple[int, list[str]]:
    """How many lines have numbers to compare, and those that disagree."""
    derivation = derive(text, values=values, check=False, **choices)
    count, wrong = 0, []
    for line, numbers in compared(derivation, choices.get("upstream")):
        count += 1
        first = numbers[0]
        scale = max(1e-3, *(float(np.max(np.abs(n), initial=0.0)) for n in numbers))
        for other in numbers[1:]:
            flat = (first.reshape(-1), other.reshape(-1)) if first.size == other.size else (first, other)
            if flat[0].shape != flat[1].shape or not np.allclose(*flat, rtol=ROUNDED, atol=ROUNDED * scale):
                wrong.append(f"{label(line)}: {first.tolist()} and {other.tolist()}")
    return count, wrong


@pytest.mark.parametrize("method", ["elementwise", "differential"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_line_agrees_with_a_second_reading(name: str, method: str) -> None:
    text, shapes = LAYERS[name]
    count, wrong = disagreements(text, draw(shapes), method=method)
    assert wrong == []
    assert count > 0


def test_the_numbers_of_the_lecture_are_exact() -> None:
    derivation = derive("y = W x", **LECTURE)
    for line, numbers in compared(derivation, LECTURE["upstream"]):
        for other in numbers[1:]:
            np.testing.assert_allclose(numbers[0].reshape(-1), other.reshape(-1), rtol=1e-7, err_msg=label(line))


def test_a_wrong_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from pullback.derivation import scalars

    real = scalars.rounded
    monkeypatch.setattr("pullback.derivation.elementwise.rounded", lambda value: real(value + 1))
    _, wrong = disagreements("y = W x", {"W": [[1.0, 2.0], [3.0, 4.0]], "x": [5.0, 6.0]}, upstream=[1.0, 1.0])
    assert any("dy_1/dx_1 = w_11 = 2" in line for line in wrong)
