"""Pictures: what is in them, and that they are files that anyone can open."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import pullback as pb
from pullback.pictures.picture import KINDS, picture

LECTURE = {"W": [[1, 2, 3], [4, 5, 6]], "x": [9, 10, 11]}
DEEP = "\n".join(
    [
        "h_0 = relu(W_0 x)",
        *(f"z_{k} = W_{k} h_{k - 1} + b_{k}\nh_{k} = tanh(z_{k})" for k in range(1, 50)),
        "L = mse(h_49, t)",
    ]
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: object) -> list[str]:
    """All that is written in a picture."""
    root = ET.fromstring(str(svg))
    return ["".join(element.itertext()).replace("\u200b", "") for element in root.iter(f"{SVG}text")]


def test_the_graph_has_values_forward_and_gradients_backward() -> None:
    found = texts(picture("y = W x", values=LECTURE, upstream=[7, 8]))
    for wanted in ("y = W x", "[62  152]ᵀ", "∂L/∂W", "[63  70  77]", "∂L/∂x", "[39  54  69]ᵀ", "[7  8]ᵀ"):
        assert wanted in found


def test_the_blocks_of_a_jacobian_are_where_it_is_not_zero() -> None:
    found = texts(picture("y = W x", "blocks", values=LECTURE))
    assert {"∂y", "∂W", "∂x"} <= set(found)
    assert found[-1] == "12 / 18 ≠ 0"


def test_the_sparsity_of_a_hessian_is_drawn_of_an_expression_too() -> None:
    diagonal = pb.hessian("sum(exp(x))", "x")
    assert texts(picture(diagonal, values={"x": [0, 0, 0]}))[-1] == "3 / 9 ≠ 0"
    assert texts(picture("sum(exp(x))", "sparsity", values={"x": [0, 0, 0]}))[-1] == "3 / 9 ≠ 0"


def test_a_tensor_network_joins_what_is_summed() -> None:
    found = texts(picture("Y = A B C", "network"))
    assert [found.count(name) for name in ("Y =", "∂L/∂A =", "∂L/∂C =")] == [1, 1, 1]


def test_a_factor_too_long_for_its_box_gets_a_letter_and_a_note() -> None:
    found = texts(picture("t : m constant\nz = W x + b\nL = cross_entropy(z, t)", "network"))
    assert "A" in found
    assert any(note.startswith("A = ") and "softmax(W x + b)" in note for note in found)


def test_heat_maps_show_values_beside_gradients() -> None:
    found = texts(picture("y = W x", "heat", values=LECTURE, upstream=[7, 8]))
    assert {"W", "∂L/∂W", "x", "∂L/∂x", "88"} <= set(found)


def test_layers_of_a_deep_network_fold() -> None:
    folded, whole = texts(picture(DEEP)), texts(picture(DEEP, "whole"))
    assert "47 × ⋯" in folded and "z₂ … h₄₈" in folded
    assert "z₁ = W₁ h₀ + b₁" in folded and "h₄₉ = tanh(z₄₉)" in folded and "z₂₀ = W₂₀ h₁₉ + b₂₀" not in folded
    assert "z₂₀ = W₂₀ h₁₉ + b₂₀" in whole


def test_a_whole_graph_is_not_wider_than_a_poster() -> None:
    root = ET.fromstring(str(picture(DEEP, "whole")))
    assert float(root.attrib["width"]) < 2_400
    boxes = [
        tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height")) for rect in root.iter(f"{SVG}rect")
    ]
    apart = [
        a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
        for k, a in enumerate(boxes)
        for b in boxes[:k]
    ]
    assert len(boxes) > 200 and all(apart)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["y = W x", "x' A x", "Y = softmax(Q K', rows) V", DEEP, "y_1 = leaky_relu(a_b) < 1"[:22]]
)
def test_every_picture_is_well_formed_and_stands_alone(text: str, kind: str) -> None:
    try:
        svg = str(picture(text, kind))
    except pb.UnsupportedError as error:
        assert error.hint
        return
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title") is not None
    assert "href" not in svg and "<style" not in svg and "<script" not in svg


def test_a_picture_is_shown_in_notebooks_and_saved_as_a_file(tmp_path: Path) -> None:
    drawn = picture("y = W x")
    assert drawn._repr_svg_() == str(drawn)
    drawn.save(tmp_path / "graph.svg")
    drawn.save(tmp_path / "graph.png")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == str(drawn)
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(pb.PullbackError, match="can't be written"):
        drawn.save(tmp_path / "none" / "graph.svg")


@pytest.mark.parametrize(
    ("kind", "message"), [("pie", "no kind of picture"), ("blocks", "no picture of the kind 'blocks'")]
)
def test_what_can_not_be_drawn_is_said(kind: str, message: str) -> None:
    with pytest.raises(pb.PullbackError, match=message) as caught:
        picture("x' x", kind)
    assert caught.value.hint


def test_the_command_writes_svg_and_png(tmp_path: Path) -> None:
    base = [sys.executable, "-m", "pullback", "picture", "y = W x", "--value", "W=1 2; 3 4", "--value", "x=1 2"]
    printed = subprocess.run([*base, "--kind", "blocks"], capture_output=True, text=True, encoding="utf-8", check=True)
    assert ET.fromstring(printed.stdout).tag == f"{SVG}svg"
    subprocess.run([*base, "--output", str(tmp_path / "graph.png")], capture_output=True, check=True)
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
