"""Names of the notation as names in source: plain identifiers that collide with nothing."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

from pullback.errors import PullbackError
from pullback.syntax.names import normalise

PYTHON = frozenset(keyword.kwlist) | frozenset(
    "np torch jax jnp math float bool len range max int print zip "
    "ctx kept found rng sample measured derived direction step free name".split()
)
"""What an input can't be called in a Python file: keywords, and what the file itself uses."""

C = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "_Bool _Complex _Imaginary NULL NAN INFINITY HUGE_VAL DBL_MAX EOF RAND_MAX BUFSIZ CHECK PLAIN_LOOPS SINGLE BLAS "
    "size_t main printf puts malloc free calloc exit assert isnan isinf signbit fpclassify isfinite isnormal errno "
    "stdin stdout stderr "
    "work failed real CblasRowMajor CblasColMajor CblasNoTrans CblasTrans".split()
)
"""What a parameter can't be called in C: keywords, and macros of the headers."""


def identifier(name: str) -> str:
    """A plain identifier for a name of the notation, which may be any Unicode word.

    >>> [identifier(n) for n in ("W_1", "λ", "x'", "größe", "2a")]
    ['W1', 'lambda', 'x', 'gr_u00f6_u00dfe', 'v2a']
    """
    plain = normalise(name)
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else _spelled(c) for c in plain).strip("_")
    return text if text and not text[0].isdigit() else f"v{text}"


def _spelled(character: str) -> str:
    return f"_u{ord(character):04x}" if character.isalnum() else "_"


def unused(name: str, taken: Collection[str], suffix: str = "_") -> str:
    """The name, with a suffix and if need be a number behind it where it is taken.

    >>> unused("x", {"y"}), unused("x", {"x"}), unused("x", {"x", "x_"}), unused("n", {"n"}, "_size")
    ('x', 'x_', 'x_2', 'n_size')
    """
    tried = name
    count = 1
    while tried in taken:
        tried = f"{name}{suffix}{count if count > 1 else ''}"
        count += 1
    return tried


def checked(name: str) -> str:
    """A name for the function, if it is one.

    Raises:
        PullbackError: It is no identifier, or a keyword.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", name, flags=re.ASCII) or keyword.iskeyword(name) or name in C | PYTHON:
        raise PullbackError(
            f"a function can't be called {name[:60]!r}",
            hint="use letters, digits and underscores, such as linear_layer",
        )
    return name
