"""A plain NumPy function, with a check by central differences."""

from __future__ import annotations

from pullback.emission.checks import numpy_check
from pullback.emission.comments import comments, written
from pullback.emission.drafting import Drawn
from pullback.emission.files import docstring, head, indented, joined, size_lines, spelled, used
from pullback.spelling.definitions import needed
from pullback.spelling.dialects import NUMPY


def numpy_source(drawn: Drawn) -> str:
    """The program and its gradients in one function."""
    lines = spelled(drawn, NUMPY)
    notes = comments(drawn, lines)
    definitions = needed([line.text for line in lines], NUMPY.definitions)
    check = (
        "compares the gradients with central differences."
        if drawn.wrt
        else "compares its value with the closed form's."
    )
    body = [line for one in lines for line in written(one, notes.get(one))]
    sizes = indented(size_lines(drawn, list(drawn.inputs), used(lines), "np"))
    parameters = ", ".join([*drawn.inputs, *drawn.loose])
    returned = ", ".join(drawn.results)
    function = [
        f"def {drawn.name}({parameters}):",
        *indented(docstring([says(drawn)])),
        *sizes,
        *([""] if len(sizes) > 1 else []),
        *body,
        *([""] if len(body) > 2 else []),
        f"    return {returned}",
    ]
    tail = ['if __name__ == "__main__":', *indented(numpy_check(drawn, drawn.name))]
    imports = (["import math", ""] if any("math." in line for line in (*definitions, *tail)) else []) + [
        "import numpy as np"
    ]
    parts = ["\n".join([*docstring(head(drawn, "Needs NumPy.", f"Run as a script, it {check}")), "", *imports])]
    parts += [*definitions, "\n".join(function), "\n".join(tail)]
    return "\n\n\n".join(parts) + "\n"


def says(drawn: Drawn) -> str:
    """What the function returns, in a sentence."""
    if not drawn.subject.has_backward:
        labels = [label for label in drawn.subject.labels if label is not None]
        return f"Return {joined([f'dL/d{label}' for label in labels])}." if labels else "Return the closed form."
    names = [label for label in drawn.subject.labels if label is not None]
    if drawn.upstream is None:
        return f"Return {drawn.output}, and its gradient{'s' * (len(names) > 1)} by {joined(names)}."
    gradients = joined([f"dL/d{name}" for name in names])
    return f"Return {drawn.output}, and {gradients}, given {drawn.upstream} = dL/d{drawn.output}."
