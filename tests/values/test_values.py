"""Values as people give them: inline and in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pullback.errors import ValuesError
from pullback.values import fit, notices, read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("-1e-3", -0.001),
        ("−2", -2.0),
        ("1/4", 0.25),
        ("1 2 3", [1, 2, 3]),
        ("1, 2, 3", [1, 2, 3]),
        ("[1, 2, 3]", [1, 2, 3]),
        ("1 2 3; 4 5 6", [[1, 2, 3], [4, 5, 6]]),
        ("1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("1 2; 3 4;", [[1, 2], [3, 4]]),
        ("1; 2", [[1], [2]]),
        ("[1 2; 3 4]", [[1, 2], [3, 4]]),
        ("[[1,2],[3,4]]", [[1, 2], [3, 4]]),
        ("[[1. 2.]\n [3. 4.]]", [[1, 2], [3, 4]]),
        ("[[1, 2]]", [[1, 2]]),
        ("[[[1]], [[2]]]", [[[1]], [[2]]]),
        ("1 -2 +3", [1, -2, 3]),
        (".5 5. 1e2", [0.5, 5, 100]),
    ],
)
def test_inline(text: str, value: object) -> None:
    expected = np.array(value, dtype=np.float64)
    array = read_value(text)
    assert array.dtype == np.float64 and array.shape == expected.shape
    np.testing.assert_array_equal(array, expected)


def test_special_numbers() -> None:
    np.testing.assert_array_equal(read_value("nan inf -inf NaN Infinity"), [np.nan, np.inf, -np.inf, np.nan, np.inf])


@pytest.mark.parametrize(
    "text",
    ["", " ", "[]", "1 2; 3", "1 a", "1,,2", ",1", ";", "1;;2", "[1", "1]", "1 [2]", "1_0", "0x10", "1-2", "1/0"],
)
def test_inline_refusals_have_a_place(text: str) -> None:
    with pytest.raises(ValuesError) as caught:
        read_value(text, "--value W")
    assert str(caught.value).startswith("--value W: ")
    assert caught.value.places


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 40 + "1" + "]" * 40, "1 " * 100_000 + "x"])
def test_long_texts_end_in_an_error(text: str) -> None:
    with pytest.raises(ValuesError) as caught:
        read_value(text)
    assert len(str(caught.value)) < 1000


@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3), elements=st.floats(allow_nan=False)))
def test_what_python_prints_is_read_back(array: np.ndarray) -> None:
    np.testing.assert_array_equal(read_value(str(array.tolist())), array)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert read_value(text).size
    except ValuesError as error:
        assert str(error)


@pytest.mark.parametrize("dtype", ["f8", ">f4", "f2", "i4", "u1", "?"])
def test_npy(dtype: str, tmp_path: Path) -> None:
    array = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_value(str(tmp_path / "a.npy")), array.astype(float))


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "1;2\n3;4",
        "1\t2\n3\t4\n",
        "1 2\n\n3 4\n",
        "# a, b\n1,2\n3,4",
        "\ufeff1,2,\r\n3,4,\r\n",
        '"1","2"\n3,4',
    ],
)
def test_csv(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    np.testing.assert_array_equal(read_value(str(tmp_path / "a.csv")), [[1, 2], [3, 4]])


def test_csv_names_the_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,x\n")
    with pytest.raises(ValuesError, match="line 2, column 2: 'x' is not a number"):
        read_value(str(tmp_path / "a.csv"))
    (tmp_path / "a.csv").write_text("1,5;2,5\n")
    with pytest.raises(ValuesError, match="decimals with a point"):
        read_value(str(tmp_path / "a.csv"))


def test_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([[1, 2.5], [float("nan"), "Infinity"]]))
    np.testing.assert_array_equal(read_value(str(tmp_path / "a.json")), [[1, 2.5], [np.nan, np.inf]])
    (tmp_path / "a.json").write_text("3")
    assert read_value(str(tmp_path / "a.json")).shape == ()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[[1], []]", '["x"]', "[true]", "[[1, 2], 3]", "[1, [2]]", "1" + "0" * 5000]
)
def test_json_refusals(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValuesError, match=r"a\.json"):
        read_value(str(tmp_path / "a.json"))


def test_a_file_too_large_is_refused_by_its_header(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data.replace(b"(2, 3), }      ", b"(99999, 99999)}"))
    with pytest.raises(ValuesError, match="more than 2 GB"):
        read_value(str(tmp_path / "a.npy"))


@pytest.mark.parametrize(
    ("shape", "axes", "fitted"),
    [
        ((3, 1), 1, (3,)),
        ((1, 3), 1, (3,)),
        ((3,), 2, (1, 3)),
        ((), 1, (1,)),
        ((), 2, (1, 1)),
        ((1, 1), 0, ()),
        ((2, 3), 1, (2, 3)),
    ],
)
def test_fit(shape: tuple[int, ...], axes: int, fitted: tuple[int, ...]) -> None:
    assert fit(np.zeros(shape), axes).shape == fitted


def test_notices() -> None:
    assert notices("x", np.array([1.0, np.inf])) == ["value x has 1 infinite entry, at position 2"]
    assert notices("c", np.array(np.nan)) == ["value c is NaN"]
