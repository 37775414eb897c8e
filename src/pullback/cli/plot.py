"""The curve of a loss, as the bytes of a picture; matplotlib is loaded here and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

_FORMATS = {".png", ".svg", ".pdf"}


def draw_losses(losses: Sequence[float], epochs: int, suffix: str) -> bytes:
    """Draw the loss of every step, pale, and the mean of every epoch, strong.

    Args:
        losses: One number a step.
        epochs: Into how many epochs of one length they fall.
        suffix: .png, .svg or .pdf; anything else gives a .png.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = len(losses) // epochs
    means = np.asarray(losses[: steps * epochs]).reshape(epochs, steps).mean(axis=1)
    axes.plot(
        np.arange(1, len(losses) + 1) / steps, losses, color="tab:blue", alpha=0.25, linewidth=0.8, label="one batch"
    )
    axes.plot(np.arange(1, epochs + 1), means, color="tab:blue", linewidth=2, label="mean of an epoch")
    axes.set(xlabel="epoch", ylabel="cross-entropy", yscale="log", title="Training with derived gradients: digits")
    axes.grid(alpha=0.3)
    axes.legend()
    buffer = io.BytesIO()
    kind = suffix.lower() if suffix.lower() in _FORMATS else ".png"
    figure.savefig(buffer, format=kind[1:], dpi=150)
    return buffer.getvalue()
