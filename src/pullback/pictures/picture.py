"""``pb.picture``: a program, a derivation or a derivative as a picture, for notebooks and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from pullback.derivation.record import Record
from pullback.derivation.request import make_request
from pullback.deriving import Source, as_program
from pullback.errors import PullbackError, UnsupportedError
from pullback.expression import Expression
from pullback.pictures import of_derivation as drawing
from pullback.pictures.network import draw_networks
from pullback.pictures.products import network_of
from pullback.syntax.names import normalise, unicode_name

KINDS = ("graph", "whole", "network", "blocks", "sparsity", "heat")
"""What can be drawn, in the order in which help lists it."""

_NOTHING = {
    "whole": "nothing in the graph is folded: the kind graph draws all of it",
    "network": "there is no product of two to nine factors in it",
    "blocks": "the output is a single number, or the Jacobian is too large to see",
    "sparsity": "it is too large to see",
    "heat": "there are no values of vectors or matrices",
    "graph": "the program has too many statements to see",
}


@dataclass(frozen=True)
class Picture:
    """A picture as SVG text, which notebooks show.

    >>> str(picture("y = W x")).startswith("<svg ")
    True
    """

    svg: str
    title: str = "picture"

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def png(self, scale: float = 2.0, background: str = "white") -> bytes:
        """Make a PNG image of it.

        Raises:
            PullbackError: resvg_py is not installed, or the scale is out of range.
        """
        if not 0 < scale <= 16:
            raise PullbackError(f"a scale of {scale} is out of range", hint="more than 0, at most 16")
        try:
            from resvg_py import svg_to_bytes
        except ImportError:
            raise PullbackError("a PNG image needs resvg_py", hint='pip install "pullback[svg]"') from None
        paper = None if background == "transparent" else background
        return bytes(svg_to_bytes(svg_string=self.svg, zoom=scale, background=paper))

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a file: PNG where its name ends so, SVG otherwise.

        Raises:
            PullbackError: The file can't be written.
        """
        place = Path(path)
        data = self.png() if place.suffix.lower() == ".png" else self.svg.encode("utf-8")
        try:
            place.write_bytes(data)
        except OSError as error:
            raise PullbackError(f"{place} can't be written: {error.strerror or error}") from None


def picture(
    source: Source | Record,
    kind: str = "",
    *,
    wrt: str | None = None,
    values: Mapping[str, Any] | None = None,
    upstream: Any | None = None,
    shapes: Mapping[str, Any] | None = None,
    assume: Mapping[str, Any] | None = None,
    batch: str | int | None = None,
) -> Picture:
    """Draw a program, a derivation, or a derivative.

    Args:
        source: The program as text or as a Program; a Derivation; or an Expression, such as a Hessian.
        kind: ``graph``: values forward, gradients backward, layers that repeat folded; ``whole``: nothing folded;
            ``network``: its products as tensor networks; ``blocks``: where the Jacobian by all inputs is not zero;
            ``sparsity``: where the Hessian (of a single number) or the Jacobian by ``wrt`` is not zero; ``heat``:
            values beside their gradients. By default ``graph``, of an Expression ``sparsity``.
        wrt: The input of ``sparsity``; by default the first that is no constant.
        values: Values of the inputs; small ones are drawn where a pattern needs some and none are given.
        upstream: The gradient of the output.
        shapes: Of inputs, as ``pullback.parse`` takes them.
        assume: Properties of inputs, likewise.
        batch: Likewise.

    Raises:
        PullbackError: There is no such kind, or no such picture of this.

    >>> picture("y = W x", "blocks")
    <Picture: blocks>
    >>> import pullback as pb
    >>> picture(pb.hessian("norm(A x - b)^2", "x"))
    <Picture: sparsity>
    """
    kind = kind or ("sparsity" if isinstance(source, Expression) else "graph")
    if kind not in KINDS:
        raise PullbackError(f"{kind!r} is no kind of picture", hint=f"the kinds are: {', '.join(KINDS)}")
    if isinstance(source, Expression) and kind in ("sparsity", "network"):
        svg = _of_expression(source, kind, wrt, values)
    else:
        record = source if isinstance(source, Record) else _record(
            source, values, upstream, shapes=shapes, assume=assume, batch=batch
        )  # fmt: skip
        svg = of_record(record, kind, None if wrt is None else record.request.program.input(wrt).name)
    if svg is None:
        raise UnsupportedError(f"there is no picture of the kind {kind!r} of this", hint=_NOTHING[kind])
    return Picture(svg, kind)


def _record(source: Source, values: Any, upstream: Any, **more: Any) -> Record:
    program = as_program(source, more["shapes"], more["assume"], more["batch"])
    return Record(make_request(program, None, values, upstream, False))


_OF_RECORD: Mapping[str, Callable[[Record], str | None]] = {
    "graph": drawing.graph,
    "whole": drawing.whole,
    "network": drawing.networks,
    "blocks": drawing.blocks,
    "heat": drawing.heat,
}


def of_record(record: Record, kind: str, wrt: str | None = None) -> str | None:
    """Draw a derivation; None where there is no such picture of it."""
    if kind != "sparsity":
        return _OF_RECORD[kind](record)
    from pullback.deriving import hessian, jacobian

    request = record.request
    name = wrt or next(iter(record.results))
    second = hessian(request.program, name) if request.is_loss else jacobian(request.program, name)
    return drawing.sparsity(second, name, request.values, request.arrays[1])


def _of_expression(expression: Expression, kind: str, wrt: str | None, values: Mapping[str, Any] | None) -> str | None:
    output = expression.program.output.name
    if kind == "network":
        network = network_of(unicode_name(output) if output else "y", expression, {})
        return draw_networks([network], "tensor network") if network is not None else None
    inputs = expression.program.inputs
    axes = expression.axes
    fitting = [entry.name for entry in inputs.values() if entry.shape and axes[-len(entry.shape) :] == entry.shape]
    name = wrt or next(iter(fitting), None)
    if name is None or normalise(name) not in inputs:
        raise PullbackError("the last axes of this are those of no input", hint="say which it is by: wrt=…")
    return drawing.sparsity(expression, name, values, {})
