"""The tour: the lecture's numbers, a network that learns, a picture of how."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import pullback as pb
from pullback.cli.digits import PARAMETERS, PROGRAM, load, loss, train

from .running import Run


def test_the_whole_tour(run: Run, tmp_path: Path) -> None:
    outcome = run("tour", "--quick", "--output", "loss.png")
    assert outcome.code == 0
    for number in ("39", "54", "69", "63", "70", "77", "72", "80", "88"):
        assert number in outcome.out
    assert "accuracy" in outcome.out and "plot      loss.png" in outcome.out
    assert "training 4/4  loss " in outcome.err
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["loss.png"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_derived_gradients_learn_the_digits(seed: int) -> None:
    training = train(load(seed), 30, seed, lambda done, loss: None)
    assert training.before < 0.3
    assert training.after >= 0.96
    assert np.mean(training.losses[-40:]) < 0.05 * training.losses[0]


def test_the_program_is_what_numpy_computes() -> None:
    random = np.random.default_rng(0)
    shapes = {"W1": (5, 4), "b1": (5,), "W2": (3, 5), "b2": (3,)}
    parameters = {name: random.normal(size=shape) for name, shape in shapes.items()}
    data = {"X": random.normal(size=(6, 4)), "T": np.eye(3)[random.integers(0, 3, 6)]}
    gradients = pb.gradient(PROGRAM, wrt=PARAMETERS).evaluate({**parameters, **data})
    step = 1e-6
    for name in PARAMETERS:
        along = random.normal(size=shapes[name])
        ends = [loss({**parameters, name: parameters[name] + s * along}, data["X"], data["T"]) for s in (step, -step)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(np.sum(gradients[name] * along), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("output", ["none/loss.png", "."])
def test_where_the_plot_can_not_go_is_said_first(output: str, run: Run) -> None:
    outcome = run("tour", "--quick", "--output", output)
    assert (outcome.code, outcome.out) == (2, "")
    assert "plot" in outcome.err and "hint: " in outcome.err


def test_without_scikit_learn_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    outcome = run("tour")
    assert (outcome.code, outcome.out) == (2, "")
    assert 'pip install "pullback[tour]"' in outcome.err
