"""Layers of PyTorch, unchanged, with example inputs: the families of the documentation, with their options varied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Made = tuple[Any, tuple[Any, ...]]
Make = Callable[[Any], Made]


def layers() -> Mapping[str, Make]:
    """Each by its name, made when torch is given."""
    return {**DENSE, **NORMALISING, **RECURRENT, **ATTENDING, **CONVOLVING, **LOSSES, **activations()}


DENSE: Mapping[str, Make] = {
    "Linear": lambda t: (t.nn.Linear(3, 2), (t.randn(4, 3),)),
    "Linear without bias": lambda t: (t.nn.Linear(3, 2, bias=False), (t.randn(4, 3),)),
    "Linear of a vector": lambda t: (t.nn.Linear(3, 2), (t.randn(3),)),
    "Linear of a sequence": lambda t: (t.nn.Linear(3, 2), (t.randn(2, 4, 3),)),
    "Linear to one": lambda t: (t.nn.Linear(3, 1), (t.randn(4, 3),)),
    "Bilinear": lambda t: (t.nn.Bilinear(3, 2, 4), (t.randn(5, 3), t.randn(5, 2))),
    "Bilinear without bias": lambda t: (t.nn.Bilinear(3, 2, 4, bias=False), (t.randn(5, 3), t.randn(5, 2))),
    "MLP": lambda t: (t.nn.Sequential(t.nn.Linear(3, 4), t.nn.GELU(), t.nn.Linear(4, 2)), (t.randn(4, 3),)),
    "Flatten": lambda t: (t.nn.Sequential(t.nn.Flatten(), t.nn.Linear(6, 2)), (t.randn(2, 2, 3),)),
    "Dropout at rest": lambda t: (t.nn.Sequential(t.nn.Linear(3, 2), t.nn.Dropout(0.5)).eval(), (t.randn(2, 3),)),
    "Embedding": lambda t: (t.nn.Embedding(5, 3), (t.tensor([1, 2, 2]),)),
    "CosineSimilarity": lambda t: (t.nn.CosineSimilarity(dim=1), (t.randn(3, 4), t.randn(3, 4))),
    "PairwiseDistance": lambda t: (t.nn.PairwiseDistance(), (t.randn(3, 4), t.randn(3, 4))),
    "GLU": lambda t: (t.nn.GLU(), (t.randn(3, 4),)),
}

NORMALISING: Mapping[str, Make] = {
    "LayerNorm": lambda t: (t.nn.LayerNorm(4), (t.randn(3, 4),)),
    "LayerNorm without affine": lambda t: (t.nn.LayerNorm(4, elementwise_affine=False), (t.randn(3, 4),)),
    "LayerNorm over two axes": lambda t: (t.nn.LayerNorm((3, 4)), (t.randn(2, 3, 4),)),
    "LayerNorm of a sequence": lambda t: (t.nn.LayerNorm(4), (t.randn(2, 3, 4),)),
    "RMSNorm": lambda t: (t.nn.RMSNorm(4), (t.randn(3, 4),)),
    "RMSNorm of a sequence": lambda t: (t.nn.RMSNorm(4, eps=1e-3), (t.randn(2, 3, 4),)),
    "BatchNorm1d": lambda t: (t.nn.BatchNorm1d(3), (t.randn(5, 3),)),
    "BatchNorm1d without affine": lambda t: (t.nn.BatchNorm1d(3, affine=False), (t.randn(5, 3),)),
    "BatchNorm1d at rest": lambda t: (t.nn.BatchNorm1d(3).eval(), (t.randn(5, 3),)),
    "BatchNorm2d": lambda t: (t.nn.BatchNorm2d(3), (t.randn(2, 3, 4, 4),)),
    "GroupNorm": lambda t: (t.nn.GroupNorm(2, 4), (t.randn(3, 4, 5),)),
    "InstanceNorm1d": lambda t: (t.nn.InstanceNorm1d(3), (t.randn(2, 3, 5),)),
}

RECURRENT: Mapping[str, Make] = {
    "RNNCell": lambda t: (t.nn.RNNCell(3, 2), (t.randn(4, 3), t.randn(4, 2))),
    "GRUCell": lambda t: (t.nn.GRUCell(3, 2), (t.randn(4, 3), t.randn(4, 2))),
    "GRUCell without bias": lambda t: (t.nn.GRUCell(3, 2, bias=False), (t.randn(4, 3), t.randn(4, 2))),
    "LSTMCell": lambda t: (t.nn.LSTMCell(3, 2), (t.randn(4, 3), (t.randn(4, 2), t.randn(4, 2)))),
    "GRU": lambda t: (t.nn.GRU(3, 2, batch_first=True), (t.randn(2, 3, 3),)),
    "LSTM": lambda t: (t.nn.LSTM(3, 2), (t.randn(3, 2, 3),)),
}

ATTENDING: Mapping[str, Make] = {
    "MultiheadAttention": lambda t: (t.nn.MultiheadAttention(4, 2, batch_first=True), (t.randn(2, 3, 4),) * 3),
    "MultiheadAttention over others": lambda t: (
        t.nn.MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True),
        (t.randn(2, 3, 4), t.randn(2, 5, 3), t.randn(2, 5, 5)),
    ),
    "MultiheadAttention without bias": lambda t: (
        t.nn.MultiheadAttention(8, 4, bias=False, batch_first=True),
        (t.randn(2, 3, 8),) * 3,
    ),
    "TransformerEncoderLayer": lambda t: (
        t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
        (t.randn(2, 3, 4),),
    ),
    "TransformerEncoderLayer, norm first": lambda t: (
        t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, activation="gelu", norm_first=True),
        (t.randn(2, 3, 4),),
    ),
    "TransformerDecoderLayer": lambda t: (
        t.nn.TransformerDecoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
        (t.randn(2, 3, 4), t.randn(2, 5, 4)),
    ),
}

CONVOLVING: Mapping[str, Make] = {
    "Conv1d": lambda t: (t.nn.Conv1d(2, 3, 3, padding=1), (t.randn(2, 2, 5),)),
    "Conv1d with stride": lambda t: (t.nn.Conv1d(2, 3, 3, stride=2), (t.randn(2, 2, 7),)),
    "Conv1d with dilation": lambda t: (t.nn.Conv1d(2, 3, 2, dilation=2, padding=1), (t.randn(2, 2, 7),)),
    "Conv1d in groups": lambda t: (t.nn.Conv1d(4, 6, 3, groups=2), (t.randn(2, 4, 7),)),
    "Conv1d by channel": lambda t: (t.nn.Conv1d(4, 4, 3, groups=4, bias=False), (t.randn(2, 4, 7),)),
    "Conv1d of one place": lambda t: (t.nn.Conv1d(2, 3, 1), (t.randn(2, 2, 5),)),
    "Conv2d": lambda t: (t.nn.Conv2d(2, 3, (3, 2), stride=2, padding=1), (t.randn(2, 2, 5, 6),)),
    "Conv2d in groups": lambda t: (t.nn.Conv2d(4, 2, 3, groups=2, padding=1), (t.randn(1, 4, 4, 4),)),
    "ConvTranspose1d": lambda t: (
        t.nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1),
        (t.randn(2, 2, 4),),
    ),
    "ConvTranspose2d": lambda t: (t.nn.ConvTranspose2d(4, 2, 2, stride=2, groups=2), (t.randn(1, 4, 3, 3),)),
    "AvgPool2d": lambda t: (t.nn.AvgPool2d(2), (t.randn(1, 2, 4, 4),)),
    "MaxPool2d": lambda t: (t.nn.MaxPool2d(2), (t.randn(1, 2, 4, 4),)),
    "AdaptiveAvgPool2d": lambda t: (t.nn.AdaptiveAvgPool2d(1), (t.randn(1, 2, 4, 4),)),
    "PixelShuffle": lambda t: (t.nn.PixelShuffle(2), (t.randn(1, 4, 2, 2),)),
}


def _labels(t: Any) -> Any:
    return t.tensor([0, 2, 1, 1])


def _two(t: Any) -> tuple[Any, Any]:
    return t.randn(4, 3), t.randn(4, 3)


LOSSES: Mapping[str, Make] = {
    "MSELoss": lambda t: (t.nn.MSELoss(), _two(t)),
    "MSELoss, sum": lambda t: (t.nn.MSELoss(reduction="sum"), _two(t)),
    "L1Loss": lambda t: (t.nn.L1Loss(), _two(t)),
    "HuberLoss": lambda t: (t.nn.HuberLoss(delta=0.7), _two(t)),
    "SmoothL1Loss": lambda t: (t.nn.SmoothL1Loss(beta=0.5, reduction="none"), _two(t)),
    "CrossEntropyLoss": lambda t: (t.nn.CrossEntropyLoss(), (t.randn(4, 3), _labels(t))),
    "CrossEntropyLoss, sum": lambda t: (t.nn.CrossEntropyLoss(reduction="sum"), (t.randn(4, 3), _labels(t))),
    "CrossEntropyLoss with weights": lambda t: (
        t.nn.CrossEntropyLoss(weight=t.tensor([1.0, 2.0, 0.5]), ignore_index=1),
        (t.randn(4, 3), _labels(t)),
    ),
    "CrossEntropyLoss, smoothed": lambda t: (
        t.nn.CrossEntropyLoss(label_smoothing=0.1),
        (t.randn(4, 3), _labels(t)),
    ),
    "CrossEntropyLoss of probabilities": lambda t: (
        t.nn.CrossEntropyLoss(),
        (t.randn(4, 3), t.randn(4, 3).softmax(-1)),
    ),
    "NLLLoss": lambda t: (t.nn.NLLLoss(), (t.randn(4, 3).log_softmax(-1), _labels(t))),
    "BCELoss": lambda t: (t.nn.BCELoss(), (t.rand(4, 3) * 0.8 + 0.1, t.rand(4, 3))),
    "BCEWithLogitsLoss": lambda t: (
        t.nn.BCEWithLogitsLoss(pos_weight=t.tensor([1.0, 2.0, 3.0])),
        (t.randn(4, 3), t.rand(4, 3)),
    ),
    "KLDivLoss": lambda t: (
        t.nn.KLDivLoss(reduction="batchmean"),
        (t.randn(4, 3).log_softmax(-1), t.rand(4, 3).softmax(-1)),
    ),
    "CosineEmbeddingLoss": lambda t: (
        t.nn.CosineEmbeddingLoss(),
        (t.randn(4, 3), t.randn(4, 3), t.tensor([1.0, -1.0, 1.0, -1.0])),
    ),
    "TripletMarginLoss": lambda t: (t.nn.TripletMarginLoss(), (*_two(t), t.randn(4, 3))),
    "PoissonNLLLoss": lambda t: (t.nn.PoissonNLLLoss(), (t.randn(4, 3), t.rand(4, 3))),
    "SoftMarginLoss": lambda t: (t.nn.SoftMarginLoss(), (t.randn(4, 3), t.tensor([[1.0, -1.0, 1.0]] * 4))),
}

_ACTIVATIONS = (
    "ReLU Sigmoid Tanh GELU SiLU ELU SELU Softplus LeakyReLU Hardtanh Softsign LogSigmoid Mish Hardswish Softmax "
    "LogSoftmax Softmin Softshrink"
)


def activations() -> dict[str, Make]:
    """Functions that take what a linear layer gives."""

    def make(name: str) -> Make:
        options = {"dim": 1} if name in ("Softmax", "LogSoftmax", "Softmin") else {}
        return lambda t: (getattr(t.nn, name)(**options), (t.randn(3, 4),))

    return {name: make(name) for name in _ACTIVATIONS.split()}
