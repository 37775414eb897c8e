"""The example notebook runs, and what it shows is what a notebook can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import pullback as pb

NOTEBOOK = Path(__file__).parents[2] / "examples" / "derivations.ipynb"
KINDS = {"text/plain", "text/latex", "text/html"}


@pytest.fixture(scope="module")
def outputs() -> list[Any]:
    """Run every cell in a kernel of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.filterwarnings("ignore")
def test_the_example_runs_and_shows_mathematics(outputs: list[Any]) -> None:
    shown = [dict(output.data) for output in outputs if output.output_type == "execute_result"]
    assert [KINDS <= set(data) for data in shown] == [True, True, True, False]
    assert all("<math" in data["text/html"] and "<script" not in data["text/html"] for data in shown[:3])
    assert "<details open>" in shown[2]["text/html"]
    assert shown[3].keys() >= {"image/svg+xml"}


def test_an_expression_chooses_what_it_shows() -> None:
    e = pb.gradient("x' A x", wrt="x")
    assert set(e._repr_mimebundle_()) == KINDS
    assert e._repr_mimebundle_(include=["text/latex"]) == {"text/latex": f"$\\displaystyle {e.latex()}$"}
    assert e._repr_mimebundle_(exclude=["text/html", "text/latex"]) == {"text/plain": "(A + A') x"}
    assert e._repr_mimebundle_()["text/html"] == e.mathml()


def test_results_are_shown_one_below_the_other() -> None:
    results = pb.backward("y = W_1 x")
    bundle = results._repr_mimebundle_()
    assert bundle["text/plain"] == "dL/dW1 = g x'\ndL/dx = W1' g"
    assert bundle["text/html"].count("<math") == 2
    assert "\\frac{\\partial L}{\\partial W_{1}} &= g x^\\top" in bundle["text/latex"]


def test_nothing_is_printed_by_looking_at_a_thing(capsys: pytest.CaptureFixture[str]) -> None:
    for thing in (pb.gradient("x' A x", wrt="x"), pb.backward("y = W x"), pb.derive("y = W x")):
        repr(thing)
        thing._repr_mimebundle_()
    assert capsys.readouterr().out == ""
