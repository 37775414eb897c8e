"""A two-layer network on scikit-learn's digits: NumPy steps, pullback derives what to step along."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import pullback as pb

Array = NDArray[np.float64]
Parameters = dict[str, Array]

PARAMETERS = ("W1", "b1", "W2", "b2")

PROGRAM = """
X : (B, d); W1 : (h, d); W2 : (k, h); T : (B, k)
H = relu(X W1' + ones(B) b1')
Z = H W2' + ones(B) b2'
loss = mean(logsumexp(Z, rows) - sum(T .* Z, rows))
"""
"""A batch of B images in the rows of X, their digits one-hot in T; the loss is the mean cross-entropy."""

_HIDDEN = 64
_BATCH = 32
_RATE = 0.1
_MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class Data:
    """Images in rows, scaled to [0, 1], and their digits one-hot: a part to train on, a part to test on."""

    images: Array
    targets: Array
    test_images: Array
    test_digits: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Training:
    """What a training run leaves: the loss of every step, and the test accuracy before and after."""

    losses: list[float]
    before: float
    after: float
    tested: int
    epochs: int
    parameters: Parameters


def load(seed: int) -> Data:
    """Split the 1,797 digits into four fifths to train on and one fifth to test on, each digit alike."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, digits = load_digits(return_X_y=True)
    x, x_test, t, t_test = train_test_split(images / 16.0, digits, test_size=0.2, random_state=seed, stratify=digits)
    return Data(np.asarray(x, float), np.eye(10)[t], np.asarray(x_test, float), np.asarray(t_test, np.int64))


def train(data: Data, epochs: int, seed: int, report: Callable[[int, float], None]) -> Training:
    """Train by stochastic gradient descent with momentum, the rate falling as a half cosine.

    Args:
        data: What to train and test on.
        epochs: How often every image is seen.
        seed: Of the first parameters and of the order of the images.
        report: Called after every epoch with its number, from 1, and its mean loss.
    """
    random = np.random.default_rng(seed)
    parameters = _first_parameters(random, data.images.shape[1], data.targets.shape[1])
    velocity = {name: np.zeros_like(value) for name, value in parameters.items()}
    derived = pb.gradient(PROGRAM, wrt=PARAMETERS)
    losses: list[float] = []
    before = accuracy(parameters, data)
    for epoch in range(epochs):
        rate = _RATE * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        first = len(losses)
        for rows in _batches(random, len(data.images)):
            batch = {"X": data.images[rows], "T": data.targets[rows]}
            losses.append(loss(parameters, batch["X"], batch["T"]))
            for name, gradient in derived.evaluate({**parameters, **batch}).items():
                velocity[name] = _MOMENTUM * velocity[name] - rate * gradient
                parameters[name] = parameters[name] + velocity[name]
        report(epoch + 1, float(np.mean(losses[first:])))
    return Training(losses, before, accuracy(parameters, data), len(data.test_digits), epochs, parameters)


def scores(parameters: Parameters, images: Array) -> Array:
    """The forward pass in NumPy: a row of scores for every image."""
    hidden = np.maximum(images @ parameters["W1"].T + parameters["b1"], 0.0)
    return np.asarray(hidden @ parameters["W2"].T + parameters["b2"])


def loss(parameters: Parameters, images: Array, targets: Array) -> float:
    """The mean cross-entropy in NumPy, for the plot; nothing is differentiated here."""
    z = scores(parameters, images)
    return float(np.mean(np.logaddexp.reduce(z, axis=1) - np.sum(targets * z, axis=1)))


def accuracy(parameters: Parameters, data: Data) -> float:
    """The part of the test images whose digit gets the greatest score."""
    return float(np.mean(scores(parameters, data.test_images).argmax(axis=1) == data.test_digits))


def _first_parameters(random: np.random.Generator, inputs: int, outputs: int) -> Parameters:
    return {
        "W1": random.normal(0.0, math.sqrt(2 / inputs), (_HIDDEN, inputs)),
        "b1": np.zeros(_HIDDEN),
        "W2": random.normal(0.0, math.sqrt(1 / _HIDDEN), (outputs, _HIDDEN)),
        "b2": np.zeros(outputs),
    }


def _batches(random: np.random.Generator, count: int) -> Iterator[NDArray[np.int64]]:
    order = random.permutation(count)
    for start in range(0, count - _BATCH + 1, _BATCH):
        yield order[start : start + _BATCH]
