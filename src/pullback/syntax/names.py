"""Names: one identity however they are spelled, and their spelling in each printed style.

The identity form is what the syntax tree, shapes and values are keyed by. It is plain text:
Greek letters by their word, trailing digits without an underscore, other subscripts after one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Kind = Literal["matrix", "vector", "scalar"]

_SMALL = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon "
        "phi chi psi omega varepsilon vartheta varkappa varpi varrho varsigma varphi".split(),
        "αβγδεζηθικλμνξοπρστυφχψωϵϑϰϖϱςϕ",
        strict=True,
    )
)
_CAPITAL = dict(
    zip(
        "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon "
        "Phi Chi Psi Omega".split(),
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True,
    )
)
GREEK: dict[str, str] = _SMALL | _CAPITAL
"""The letter of each Greek word; ``epsilon`` is ε and ``varepsilon`` ϵ, likewise phi φ and varphi ϕ."""

_WORDS = {letter: word for word, letter in GREEK.items()} | {"µ": "mu"}
LATEX_GREEK = frozenset(_SMALL) - {"omicron"} | frozenset(
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
"""The Greek words that are LaTeX commands; the other capitals look like Latin letters there."""

SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789aehijklmnoprstuvx", strict=True))
_TO_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ACCENTS = ("hat", "bar", "tilde", "check", "breve")

_SUBSCRIPT_RUN = re.compile(f"[{''.join(SUBSCRIPTS)}]+$")
_STEM = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"([^\W\d_]+)_?([0-9]+)$")


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Give the identity form of a name.

    A Greek letter is its word, trailing subscript digits are plain digits, letter subscripts stand
    after an underscore. Nothing else changes, and what is normal stays as it is.

    >>> [normalise(n) for n in ("x₁", "W_1", "W_{12}", "λ", "β₁", "xᵢ", "x_ij", "x1_2")]
    ['x1', 'W1', 'W12', 'lambda', 'beta1', 'x_i', 'x_ij', 'x1_2']
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
        run = _SUBSCRIPT_RUN.search(name)
        if run:
            name = name[: run.start()] + "_" + "".join(SUBSCRIPTS[c] for c in run.group())
    name = name.replace("_{", "_").replace("}", "")
    digits = _DIGITS.fullmatch(name)
    if digits:
        return _WORDS.get(digits[1], digits[1]) + digits[2]
    return "_".join(_WORDS.get(part, part) for part in name.split("_")) if not name.isascii() else name


def _parts(identifier: str) -> tuple[str, str, str]:
    """Split an identity form into stem, trailing digits and letter subscript (one of the two is empty)."""
    digits = _DIGITS.fullmatch(identifier)
    if digits and "_" not in identifier:
        return digits[1], digits[2], ""
    stem, _, rest = identifier.partition("_")
    return (stem, "", rest) if rest else (identifier, "", "")


def is_greek(identifier: str) -> bool:
    """Tell whether a name is Greek, alone or with digits or a subscript.

    >>> [is_greek(n) for n in ("lambda", "beta1", "Sigma", "sigma_max", "x", "alphabet")]
    [True, True, True, True, False, False]
    """
    stem = _STEM.match(identifier)
    return stem is not None and stem.group() in GREEK


def kind_of(identifier: str) -> Kind:
    """Tell what an undeclared name is taken for: Greek a scalar, upper case a matrix, else a vector.

    >>> [kind_of(n) for n in ("alpha", "Sigma", "W1", "x_i", "ŷ")]
    ['scalar', 'scalar', 'matrix', 'vector', 'vector']
    """
    if is_greek(identifier):
        return "scalar"
    return "matrix" if identifier[:1].isupper() else "vector"


def unicode_name(identifier: str) -> str:
    """Spell a name in Unicode: Greek letters and subscript digits.

    >>> [unicode_name(n) for n in ("W1", "alpha", "lambda_max", "x_i", "x1_2")]
    ['W₁', 'α', 'λ_max', 'x_i', 'x1_2']
    """
    stem, digits, rest = _parts(identifier)
    return GREEK.get(stem, stem) + digits.translate(_TO_SUBSCRIPT) + (f"_{rest}" if rest else "")


def latex_name(identifier: str) -> str:
    r"""Spell a name in LaTeX, so that the reader gives the same name again.

    A subscript of letters is upright, which tells it from an index.

    >>> [latex_name(n) for n in ("W1", "alpha", "lambda_max", "x_i", "loss", "y_hat")]
    ['W_{1}', '\\alpha', '\\lambda_{\\mathrm{max}}', 'x_{\\mathrm{i}}', '\\mathit{loss}', '\\hat{y}']
    """
    stem, digits, rest = _parts(identifier)
    if rest in ACCENTS and _plain_stem(stem):
        return f"\\{rest}{{{_latex_word(stem)}}}"
    if not _plain_stem(stem) or (rest and not re.fullmatch(r"[A-Za-z0-9]+", rest)):
        return "\\mathit{" + identifier.replace("_", r"\_") + "}"
    if digits:
        return f"{_latex_word(stem)}_{{{digits}}}"
    if rest:
        return f"{_latex_word(stem)}_{{\\mathrm{{{rest}}}}}"
    return _latex_word(stem)


def _plain_stem(stem: str) -> bool:
    return _STEM.fullmatch(stem) is not None


def _latex_word(stem: str) -> str:
    if stem == "pi":
        return r"\mathit{\pi}"
    if stem in LATEX_GREEK:
        return f"\\{stem}"
    return stem if len(stem) == 1 else f"\\mathit{{{stem}}}"
