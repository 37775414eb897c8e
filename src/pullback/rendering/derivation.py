"""The derivation that ``pb.derive`` gives: its data, and its renderings."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.derivation.record import METHODS, Method, Record
from pullback.derivation.request import make_request
from pullback.derivation.second import WANTS, Want, inputs_of, make_second
from pullback.derivation.steps import DETAILS, Detail
from pullback.derivation.transposing import LAYOUTS
from pullback.deriving import Source, as_program
from pullback.errors import PullbackError
from pullback.expression import chosen_kinds
from pullback.languages import language
from pullback.lowering.given import Properties, Shapes


@dataclass(frozen=True)
class Derivation(Record):
    """A derivation: typed steps with their expressions and numbers, and ways to show them.

    ``steps`` are the data, ``results`` the closed forms by input, ``numbers`` their arrays where values were
    given, ``check`` the comparison with measured slopes. Where a Jacobian or a Hessian is wanted, ``second`` has
    its ``expression``, ``numbers`` and ``check``.

    >>> import pullback as pb
    >>> d = derive("y = W x")
    >>> print(d.results)
    dL/dW = g x'
    dL/dx = W' g
    >>> [step.kind for step in d.steps]
    ['given', 'forward', 'backward', 'result', 'check']
    """

    lang: str = "en"

    def terminal(
        self,
        width: int | None = None,
        colour: bool | None = None,
        detail: str = "normal",
        lang: str | None = None,
        unicode: bool = True,
    ) -> str:
        """Lay it out for a terminal.

        Args:
            width: Columns; those of the terminal where it is not given.
            colour: Whether to colour; where it is not given, only a terminal gets colour, and NO_COLOR none.
            detail: brief, normal or full.
            lang: Another language than that of the derivation.
            unicode: Use the signs of mathematics; else plain ASCII.
        """
        from pullback.rendering.terminal import coloured, render

        columns = shutil.get_terminal_size((100, 24)).columns if width is None else width
        rows = render(self.steps, lang or self.lang, columns, "unicode" if unicode else "plain", _level(detail))
        while rows and not rows[-1][0]:
            rows.pop()
        if _wants_colour() if colour is None else colour:
            text = coloured(rows)
            if text is not None:
                return text
        return "\n".join(text for text, _ in rows)

    def markdown(self, detail: str = "normal", lang: str | None = None, flavour: str = "github") -> str:
        """Write it as Markdown with LaTeX in it.

        Args:
            detail: brief, normal or full.
            lang: Another language than that of the derivation.
            flavour: ``github`` (blocks of mathematics as GitHub shows them), or ``dollars`` (as notebooks do).
        """
        from pullback.rendering.markdown import FLAVOURS, render

        known = {name: name for name in FLAVOURS}
        if flavour not in known:
            raise PullbackError(f"no flavour {flavour!r} of Markdown", hint=f"there are: {', '.join(FLAVOURS)}")
        return render(self, lang or self.lang, _level(detail), known[flavour])

    def latex(self, document: bool = False, detail: str = "normal", lang: str | None = None) -> str:
        """Write it as LaTeX: a fragment, or a document that compiles."""
        from pullback.rendering.latex import render

        return render(self, lang or self.lang, _level(detail), document)

    def html(self, detail: str = "normal", lang: str | None = None) -> str:
        """Write it as one page that needs nothing beside it."""
        from pullback.rendering.html import render

        return render(self, lang or self.lang, _level(detail))

    def to_json(self, lang: str | None = None) -> str:
        """Write its data as JSON, as ``derivation.schema.json`` in this package describes it."""
        from pullback.rendering.json_document import render

        return render(self, lang or self.lang)

    def __str__(self) -> str:
        return self.terminal(width=100, colour=False)

    def __repr__(self) -> str:
        gradients = ", ".join(f"dL/d{name}" for name in self.results)
        return f"<Derivation of {gradients}, {self.method}>"

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
    ) -> dict[str, str]:
        made: dict[str, Callable[[], str]] = {
            "text/plain": lambda: self.terminal(width=100, colour=False),
            "text/html": self._fragment,
            "text/latex": self.latex,
            "text/markdown": lambda: self.markdown(flavour="dollars"),
        }
        return chosen_kinds(made, include, exclude)

    def _fragment(self) -> str:
        from pullback.rendering.html import fragment

        return fragment(self, self.lang, "normal")


def derive(
    source: Source,
    wrt: str | Sequence[str] | None = None,
    values: Mapping[str, Any] | None = None,
    upstream: Any = None,
    lang: str = "en",
    method: str = "elementwise",
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    structured: bool = False,
    check: bool = True,
    want: str = "backward",
    layout: str = "denominator",
) -> Derivation:
    """Derive the backward pass of a program, step by step; or its Jacobian, or the Hessian of a scalar.

    Args:
        source: The program: text, Program or Expression.
        wrt: The inputs wanted; all where none is named.
        values: Numbers for the inputs; all steps are then read with them.
        upstream: Numbers for the gradient of the output. Without it, a scalar output is the loss itself.
        lang: The language that the derivation speaks: en, ko.
        method: elementwise (entry by entry, as on a board) or differential (by matrix differentials).
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        structured: As in ``gradient``.
        check: Compare the results with measured slopes, and say what came of it.
        want: backward; or jacobian or hessian, by one input (of a mixed Hessian, two).
        layout: With numerator, the results are shown transposed as well; all steps are in denominator layout.

    Raises:
        PullbackError: The program or the values are wrong, or there is no such language or method.

    >>> d = derive("y = W x", values={"W": [[1, 2, 3], [4, 5, 6]], "x": [9, 10, 11]}, upstream=[7, 8])
    >>> d.numbers["x"]
    array([39., 54., 69.])
    >>> str(derive("norm(A x - b)^2", "x", want="hessian").second.expression)
    "2 A' A"
    """
    language(lang)
    if method not in METHODS:
        raise PullbackError(f"no method {method!r}", hint=f"the methods are: {', '.join(METHODS)}")
    if layout not in LAYOUTS:
        raise PullbackError(f"no layout {layout!r}", hint=f"the layouts are: {', '.join(LAYOUTS)}")
    goal = _goal(want, structured, upstream, layout)
    program = as_program(source, shapes, assume, batch, scalar_output=goal == "hessian")
    by = () if goal == "backward" else inputs_of(program, goal, wrt)
    request = make_request(program, by[:1] or wrt, values, upstream, structured, goal == "jacobian")
    _ = request.arrays
    second = make_second(request, goal, by, layout)
    chosen: Method = "differential" if method == "differential" else "elementwise"
    shown = layout if goal == "backward" else "denominator"
    return Derivation(request, chosen, check, second, shown, lang)


def _goal(want: str, structured: bool, upstream: object, layout: str) -> Want:
    """What is wanted, refused where other choices don't fit it."""
    goal = next((known for known in WANTS if known == want), None)
    if goal is None:
        raise PullbackError(f"want is {want!r}", hint=f"there are: {', '.join(WANTS)}")
    if goal != "backward" and structured:
        raise PullbackError(f"structured is of gradients, not of a {goal}", hint="leave it out")
    if goal == "hessian" and upstream is not None:
        raise PullbackError("a Hessian is of the loss itself, so nothing comes from above", hint="leave upstream out")
    if goal == "hessian" and layout == "numerator":
        raise PullbackError("a Hessian is the same in both layouts", hint="leave the layout out")
    return goal


def _level(detail: str) -> Detail:
    for level in DETAILS:
        if level == detail:
            return level
    raise PullbackError(f"no level of detail {detail!r}", hint=f"the levels are: {', '.join(DETAILS)}")


def _wants_colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
