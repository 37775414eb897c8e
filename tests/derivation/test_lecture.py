"""The lecture, line by line: what the general engine says of y = W x with its numbers."""

from __future__ import annotations

import numpy as np

from tests.derivation.examples import lecture

BACKWARD = """\
Backward pass

  Through y = W x

    dL/dx   (product rule)
      Write y = W x with its entries.
        y_1 = w_11 x_1 + w_12 x_2 + w_13 x_3
        y_2 = w_21 x_1 + w_22 x_2 + w_23 x_3
      With the numbers of W:
        y_1 = 1 x_1 + 2 x_2 + 3 x_3
        y_2 = 4 x_1 + 5 x_2 + 6 x_3
      Chain rule, an entry at a time: x_j acts on the loss through every entry of y.
        dL/dx_j = (dL/dy_1)(dy_1/dx_j) + (dL/dy_2)(dy_2/dx_j)
      Stack the entries: a 3 x 2 matrix of local partials times the upstream column.
        [ dL/dx_1 ]   [ dy_1/dx_1  dy_2/dx_1 ]
        [ dL/dx_2 ] = [ dy_1/dx_2  dy_2/dx_2 ] [ dL/dy_1 ]
        [ dL/dx_3 ]   [ dy_1/dx_3  dy_2/dx_3 ] [ dL/dy_2 ]
      Local partials:
        Those of y_1 fill column 1.
          dy_1/dx_1 = w_11 = 1
          dy_1/dx_2 = w_12 = 2
          dy_1/dx_3 = w_13 = 3
          [ w_11  . ]   [ 1  . ]
          [ w_12  . ] = [ 2  . ]
          [ w_13  . ]   [ 3  . ]
        Those of y_2 fill column 2.
          dy_2/dx_1 = w_21 = 4
          dy_2/dx_2 = w_22 = 5
          dy_2/dx_3 = w_23 = 6
          [ w_11  w_21 ]   [ 1  4 ]
          [ w_12  w_22 ] = [ 2  5 ]
          [ w_13  w_23 ]   [ 3  6 ]
      Recognise the matrix: its entry (j, i) is w_ij, so it is the transpose of W.
        [ w_11  w_21 ]
        [ w_12  w_22 ] = W'
        [ w_13  w_23 ]
        dL/dx = W' dL/dy
      Numbers:
                [ 1  4 ]         [ 39 ]
        dL/dx = [ 2  5 ] [ 7 ] = [ 54 ]
                [ 3  6 ] [ 8 ]   [ 69 ]
      Why in this order? Index by index it reads as follows, and the sizes fit.
        dL/dx_i = sum_j w_ji dL/dy_j
        (3 x 2)(2 x 1) = 3 x 1

    dL/dW   (product rule)
      dL/dW has the shape of W: 2 x 3. Its entry (i, j) is dL/dw_ij.
        dL/dW = [ dL/dw_11  dL/dw_12  dL/dw_13 ]
                [ dL/dw_21  dL/dw_22  dL/dw_23 ]
      w_ij appears in y_i only, so one term of the chain rule's sum is left.
        dL/dw_ij = (dL/dy_i)(dy_i/dw_ij)
      The other partials vanish:
        dy_1/dw_21 = dy_1/dw_22 = dy_1/dw_23 = 0
        dy_2/dw_11 = dy_2/dw_12 = dy_2/dw_13 = 0
      The whole matrix:
        dL/dW = [ (dL/dy_1)(dy_1/dw_11)  (dL/dy_1)(dy_1/dw_12)  (dL/dy_1)(dy_1/dw_13) ]
                [ (dL/dy_2)(dy_2/dw_21)  (dL/dy_2)(dy_2/dw_22)  (dL/dy_2)(dy_2/dw_23) ]
      Local partials:
        dy_i/dw_ij = x_j
        dy_1/dw_11 = x_1 = 9
        dy_1/dw_12 = x_2 = 10
        dy_1/dw_13 = x_3 = 11
        dy_2/dw_21 = x_1 = 9
        dy_2/dw_22 = x_2 = 10
        dy_2/dw_23 = x_3 = 11
      Fill them in:
        dL/dW = [ (dL/dy_1) x_1  (dL/dy_1) x_2  (dL/dy_1) x_3 ]
                [ (dL/dy_2) x_1  (dL/dy_2) x_2  (dL/dy_2) x_3 ]
      Recognise an outer product: the column dL/dy times the row x'.
        dL/dW = (dL/dy) x'
      Numbers:
        dL/dW = [ 7 ] [9  10  11] = [ 63  70  77 ]
                [ 8 ]               [ 72  80  88 ]
      Why in this order? Index by index it reads as follows, and the sizes fit.
        dL/dw_ij = (dL/dy_i) x_j
        (2 x 1)(1 x 3) = 2 x 3
"""

KOREAN = """\
    ∂L/∂x   (곱의 미분법)
      y = W x를 성분으로 풀어 씁니다.
        y₁ = w₁₁ x₁ + w₁₂ x₂ + w₁₃ x₃
        y₂ = w₂₁ x₁ + w₂₂ x₂ + w₂₃ x₃
      W의 숫자를 넣으면 다음과 같습니다.
        y₁ = 1 x₁ + 2 x₂ + 3 x₃
        y₂ = 4 x₁ + 5 x₂ + 6 x₃
      성분마다 연쇄 법칙을 씁니다. xⱼ는 y의 모든 성분을 거쳐 손실에 영향을 줍니다.
        ∂L/∂xⱼ = (∂L/∂y₁)(∂y₁/∂xⱼ) + (∂L/∂y₂)(∂y₂/∂xⱼ)
      성분을 쌓으면 3 × 2 편미분 행렬과 위에서 내려온 열벡터의 곱이 됩니다.
        ⎡ ∂L/∂x₁ ⎤   ⎡ ∂y₁/∂x₁  ∂y₂/∂x₁ ⎤
        ⎢ ∂L/∂x₂ ⎥ = ⎢ ∂y₁/∂x₂  ∂y₂/∂x₂ ⎥ ⎡ ∂L/∂y₁ ⎤
        ⎣ ∂L/∂x₃ ⎦   ⎣ ∂y₁/∂x₃  ∂y₂/∂x₃ ⎦ ⎣ ∂L/∂y₂ ⎦
      편미분을 하나씩 구합니다.
        y₁의 편미분으로 1번째 열을 채웁니다.
"""


def test_the_backward_pass_is_the_lecture_line_by_line() -> None:
    text = lecture().terminal(width=100, colour=False, unicode=False)
    assert BACKWARD in text


def test_the_lecture_begins_with_what_is_given_and_the_forward_pass() -> None:
    text = lecture().terminal(width=100, colour=False, unicode=False)
    before, _, _ = text.partition("Backward pass")
    assert "W is a matrix of size 2 x 3." in before
    assert "From above comes dL/dy, of the shape of y: length 2." in before
    assert "A gradient has the shape of the thing it is the gradient of (denominator layout)." in before
    assert "    y = W x\n    y = [  62 ]\n        [ 152 ]" in before


def test_the_lecture_ends_with_its_results_and_the_check() -> None:
    text = lecture().terminal(width=100, colour=False, unicode=False)
    assert "Results\n  dL/dW = (dL/dy) x'\n  dL/dx = W' dL/dy\n" in text
    last = " ".join(text.split("\n\n")[-1].split())
    assert last.startswith("Agrees with the complex step at the given values and at 3 random draws (seed 0): worst")


def test_in_korean_it_is_said_as_a_lecturer_says_it() -> None:
    text = lecture(lang="ko").terminal(width=100, colour=False)
    assert KOREAN in text
    assert "어떤 행렬인지 봅시다. (j, i) 성분이 wᵢⱼ이므로 W의 전치입니다." in text
    assert "열벡터 ∂L/∂y와 행벡터 xᵀ의 곱, 곧 외적입니다." in text


def test_the_results_are_closed_forms_and_numbers() -> None:
    d = lecture()
    assert str(d.results["x"]) == "W' g"
    assert str(d.results["W"]) == "g x'"
    assert d.numbers is not None
    np.testing.assert_array_equal(d.numbers["x"], [39, 54, 69])
    np.testing.assert_array_equal(d.numbers["W"], [[63, 70, 77], [72, 80, 88]])
    assert d.check is not None and d.check.passed and d.check.worst < 1e-8


def test_without_numbers_the_board_has_symbols() -> None:
    from pullback.rendering.derivation import derive

    text = derive("y = W x").terminal(width=100, colour=False, unicode=False)
    assert "On the board they are small: m = 2, n = 3." in text
    assert "dy_1/dx_1 = w_11\n" in text
    assert "Numbers" not in text


def test_by_differentials_the_same_result_is_read_off() -> None:
    text = lecture(method="differential").terminal(width=100, colour=False, unicode=False)
    for line in (
        "dy = dW x + W dx",
        "dL = (dL/dy)' dy",
        "(dL/dy)' W dx = (W' dL/dy)' dx",
        "(dL/dy)' dW x = tr(x (dL/dy)' dW) = tr(((dL/dy) x')' dW)",
        "dL/dW = (dL/dy) x'",
    ):
        assert f"        {line}\n" in text or f"      {line}\n" in text, line
