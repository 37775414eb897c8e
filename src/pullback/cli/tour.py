"""The command tour: a linear layer by hand, then a network on digits, with nothing but derived gradients."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

import pullback as pb
from pullback.cli.digits import PARAMETERS, PROGRAM, Training, load, train
from pullback.cli.plot import draw_losses
from pullback.cli.progress import progress
from pullback.cli.style import paint, wants_colour
from pullback.cli.writing import write_file
from pullback.errors import PullbackError
from pullback.languages import of_locale

_EPOCHS = 30
_EPOCHS_QUICK = 4


def run(options: argparse.Namespace) -> int:
    """Print the derivation, train, print the accuracy before and after, save the plot of the loss.

    Raises:
        PullbackError: scikit-learn is missing, or the plot can't be written where it should go.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise PullbackError("the tour trains on scikit-learn's digits", hint='pip install "pullback[tour]"')
    output = Path(options.output)
    if not output.resolve().parent.is_dir() or output.is_dir():
        raise PullbackError(f"the plot can't be written to {output}", hint="name a file in a folder that exists")
    _headline("1. A linear layer, from the board to numbers: y = W x")
    print(linear_layer(options.lang or of_locale()).terminal(colour=wants_colour(sys.stdout)))
    print()
    _headline("2. A network on handwritten digits, trained with nothing but derived gradients")
    print(PROGRAM.strip())
    print()
    print(pb.gradient(PROGRAM, wrt=PARAMETERS))
    print(flush=True)
    epochs = _EPOCHS_QUICK if options.quick else _EPOCHS
    data = load(options.seed)
    start = time.perf_counter()
    with progress("training", epochs) as report:
        training = train(data, epochs, options.seed, report)
    _summary(training, time.perf_counter() - start)
    _save_plot(training, output)
    return 0


def linear_layer(lang: str = "en") -> pb.Derivation:
    """Derive y = W x with the numbers of the lecture."""
    values = {"W": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "x": np.array([9.0, 10.0, 11.0])}
    return pb.derive("y = W x", values=values, upstream=np.array([7.0, 8.0]), lang=lang)


def _headline(text: str) -> None:
    print(paint(text, "bold", sys.stdout))
    print()


def _summary(training: Training, seconds: float) -> None:
    last = training.losses[-(len(training.losses) // training.epochs) :]
    print(f"loss      {training.losses[0]:.3f} -> {np.mean(last):.4f} (mean of the last epoch)")
    print(f"accuracy  {training.before:.1%} -> {training.after:.1%} on {training.tested} digits never trained on")
    print(f"time      {seconds:.1f} s for {len(training.losses)} steps of {training.epochs} epochs")


def _save_plot(training: Training, output: Path) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        print('plot      none: pip install "pullback[plot]" draws one')
        return
    write_file(output, draw_losses(training.losses, training.epochs, output.suffix))
    print(f"plot      {output}")
