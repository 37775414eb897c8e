"""The examples that are one click away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """A program with numbers; its name and its sentence are words of the page, by its key."""

    key: str
    program: str
    values: Mapping[str, str] = field(default_factory=dict)
    upstream: str = ""
    want: str = "backward"
    wrt: str = ""

    def question(self, lang: str = "en", method: str = "elementwise") -> dict[str, Any]:
        """The question that the page asks for it."""
        return {
            "program": self.program,
            "values": dict(self.values),
            "upstream": self.upstream,
            "wrt": self.wrt,
            "want": self.want,
            "lang": lang,
            "method": method,
            "layout": "denominator",
            "detail": "full",
        }

    def document(self) -> dict[str, Any]:
        """What the page keeps of it."""
        return {
            "key": self.key,
            "program": self.program,
            "values": dict(self.values),
            "upstream": self.upstream,
            "want": self.want,
            "wrt": self.wrt,
        }


GALLERY = (
    Example("lecture", "y = W x", {"W": "1 2 3; 4 5 6", "x": "9 10 11"}, "7 8"),
    Example(
        "linear",
        "Y = X W' + ones(B) b'",
        {"X": "1 2 0; 3 -1 2", "W": "1 0 2; -1 3 1", "b": "1 -2"},
        "1 2; 3 4",
    ),
    Example(
        "softmax",
        "t : m constant\nz = W x + b\nL = cross_entropy(z, t)",
        {"W": "1 -1; 2 0; 0 1", "x": "1 2", "b": "0 1 -1", "t": "0 1 0"},
    ),
    Example(
        "layernorm",
        "epsilon : positive constant\nc = x - mean(x)\ns = sqrt(mean(c .^ 2) + epsilon)\ny = a .* c / s + b",
        {"x": "1 2 4", "epsilon": "0.01", "a": "1 2 1", "b": "0 0 1"},
        "1 -1 2",
    ),
    Example(
        "attention",
        "alpha : positive constant\nQ = X W_q\nK = X W_k\nV = X W_v\nP = softmax(Q K' / sqrt(alpha), rows)\nY = P V",
        {
            "X": "1 0; 0 1; 1 1",
            "W_q": "1 0; 0 1",
            "W_k": "1 1; 0 1",
            "W_v": "2 0; 0 1",
            "alpha": "2",
        },
        "1 0; 0 1; 1 1",
    ),
    Example(
        "logistic",
        "L = sum(softplus(-y .* (X w)))",
        {"X": "1 2; -1 1; 2 0; 0 -1", "w": "1 -1", "y": "1 -1 1 -1"},
        want="hessian",
        wrt="w",
    ),
)
