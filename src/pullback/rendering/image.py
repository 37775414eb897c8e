"""A single formula as a picture: SVG drawn by ziamath from our own MathML, PNG made of it by resvg.

Both come with ``pip install "pullback[svg]"``, and need neither TeX nor a system library. (matplotlib's
mathematics has no matrices; CairoSVG needs Cairo from the system.)
"""

from __future__ import annotations

import warnings
from html import escape

from pullback.errors import PullbackError
from pullback.expression import Expression

_EXTRA = 'pip install "pullback[svg]"'
_SMALLEST, _LARGEST = 4.0, 400.0


def svg(expression: Expression, size: float = 24.0, color: str = "currentColor") -> str:
    """Draw an expression; the shared parts of a long one stand on rows before it.

    Args:
        expression: What to draw.
        size: Of the letters, in pixels.
        color: As CSS names it; by default that of the text around the picture.

    Raises:
        PullbackError: ziamath is not installed, or the size is none.

    >>> import pullback as pb
    >>> svg(pb.gradient("x' A x", "x")).startswith("<svg ")
    True
    """
    if not _SMALLEST <= size <= _LARGEST:
        raise PullbackError(f"a size of {size} px is out of range", hint=f"{_SMALLEST:.0f} to {_LARGEST:.0f} px")
    with warnings.catch_warnings():
        # The fonts' own library reads its files in a way that newer Pythons warn of.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            from ziamath.zmath import Math
        except ImportError:
            raise PullbackError("drawing a formula needs ziamath", hint=_EXTRA) from None
        head, body = expression.mathml().split(">", 1)
        inside = body.removesuffix("</math>")
        coloured = f'{head}><mstyle mathcolor="{escape(color, quote=True)}">{inside}</mstyle></math>'
        return str(Math(coloured, size=size).svg())


def png(expression: Expression, size: float = 24.0, scale: float = 2.0, background: str = "white") -> bytes:
    """Draw an expression as a PNG image.

    Args:
        expression: What to draw.
        size: Of the letters, in pixels at scale 1.
        scale: How many pixels of the image make one of these.
        background: As CSS names it; ``transparent`` for none.

    Raises:
        PullbackError: ziamath or resvg_py is not installed, or a number is out of range.
    """
    if not 0 < scale <= 16:
        raise PullbackError(f"a scale of {scale} is out of range", hint="more than 0, at most 16")
    drawn = svg(expression, size, "black")
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise PullbackError("a PNG image needs resvg_py", hint=_EXTRA) from None
    paper = None if background == "transparent" else background
    return bytes(svg_to_bytes(svg_string=drawn, zoom=scale, background=paper, skip_system_fonts=True))
