"""LaTeX text to its smallest items, and the tables of commands that the reader knows."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

from pullback.errors import NotationError, Place, Span
from pullback.syntax.names import GREEK, LATEX_GREEK
from pullback.syntax.tokens import DEEPEST_NESTING, MOST_TOKENS, Token, too_deep, too_many

PARAMETERS = re.compile(r"[^()=]*\)\s*&?\s*:?=")
"""What follows the opening bracket where a function of several names is bound."""
ARGUMENTS = re.compile(
    r"\s*(?:\\[a-z]+\s*\{\s*)?([A-Za-z]|\\(?!mathbf|left|frac|sum)[a-zA-Z]+)\s*\}?(?:\s*[_^]\s*(?:\w|\{[^{}]*\}))*"
    r"\s*(?:,[^()]*)?(?:\\right\s*)?\)"
)
"""What stands in the brackets of a function: one name, or several with commas."""

_ITEM = re.compile(
    r"""
    (?P<space>[^\S\n]+|~|(?<!\\)(?:%|\#)[^\n]*|\$+)
  | (?P<newline>\n|;)
  | (?P<command>\\[A-Za-z]+\*?|\\.|\\\n)
  | (?P<number>(?:[0-9]+(?:\.(?![*/^'])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![0-9]))?)
  | (?P<letter>[^\W\d_ᵀᵗ])
  | (?P<mark>\|\||\.\*|\./|\.\^|:=|[-^_{}()\[\]|'+*/@=,:&<>!·×⋅⊙∘⊘⊗−‖ᵀᵗ⊤’?.\"])
    """,
    re.VERBOSE,
)

_BOLD_GREEK = re.compile(r"\\(?:boldsymbol|bm|mathbf|pmb|symbf)\s*\{?\s*\\([a-zA-Z]+)")

SPACING = frozenset(
    r"\, \; \: \! \> \quad \qquad \displaystyle \textstyle \limits \nolimits \nonumber \notag \( \) \[ \] \big "
    r"\Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl \Biggr \middle \allowbreak \hfill".split()
) | {"\\ "}
OPERATORS = {
    r"\cdot": "*", r"\times": "*", r"\ast": "*", r"\odot": ".*", r"\circ": ".*", r"\oslash": "./", r"\otimes": "kron",
    r"\div": "/", "·": "*", "×": "*", "⋅": "*", "*": "*", "@": "*", "−": "-", "-": "-", "+": "+", "/": "/", "=": "=",
    ":=": "=", r"\coloneqq": "=", r"\coloneq": "=", "⊙": ".*", "∘": ".*", "⊘": "./", "⊗": "kron", ".*": ".*",
    "./": "./", ",": ",", r"\sim": "~",
}  # fmt: skip
FUNCTIONS = {f"\\{f}": f for f in "exp log sin cos tan sinh cosh tanh det max min tr diag vec softmax relu".split()} | {
    r"\ln": "log", r"\Tr": "tr", r"\trace": "tr", r"\sign": "sign", r"\sgn": "sign", r"\logdet": "logdet",
    r"\erf": "erf", r"\sigmoid": "sigmoid", r"\rank": "rank", r"\softplus": "softplus",
    r"\norm": "norm", r"\abs": "abs",
}  # fmt: skip
WORDS = {"Tr": "tr", "trace": "tr", "ln": "log", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu", "sgn": "sign",
         "Diag": "diag", "Vec": "vec", "KL": "KL", "lse": "logsumexp", "LSE": "logsumexp"}  # fmt: skip
TRANSPOSES = frozenset([r"\top", r"\intercal", r"\prime", "'", "T", "⊤", "ᵀ", r"\transpose"])
STYLING = frozenset(
    r"\mathbf \boldsymbol \bm \vec \mathcal \mathbb \mathfrak \mathscr \pmb \symbf \bf \underline \cal \it".split()
)
BOLD = frozenset(r"\mathbf \mathbb \bm \boldsymbol \pmb \bf".split())
SWITCHES = frozenset(r"\rm \sf \tt \bf \it \cal".split())
UPRIGHT = frozenset(
    r"\mathrm \text \operatorname \operatorname* \mathsf \textrm \textup \rm \sf \tt \mathop \texttt \mathtt \mbox "
    r"\hbox \textsf \textit".split()
)
ACCENTS = {r"\hat": "hat", r"\widehat": "hat", r"\bar": "bar", r"\overline": "bar", r"\tilde": "tilde",
           r"\widetilde": "tilde", r"\check": "check", r"\breve": "breve",
           r"\dot": "dot", r"\ddot": "ddot"}  # fmt: skip
FRACTIONS = frozenset(r"\frac \tfrac \dfrac \cfrac".split())
LETTERS = {f"\\{word}": GREEK[word] for word in LATEX_GREEK} | {r"\ell": "ℓ", r"\omicron": "ο"}
BARS = {r"\|": "||", r"\Vert": "||", r"\lVert": "||", r"\rVert": "||", "‖": "||", "||": "||",
        "|": "|", r"\vert": "|", r"\lvert": "|", r"\rvert": "|"}  # fmt: skip
OPENERS = {"(": ")", "[": "]", r"\{": r"\}", r"\lbrace": r"\rbrace", r"\lbrack": r"\rbrack", r"\langle": r"\rangle"}
CLOSERS = frozenset(OPENERS.values())
ENVIRONMENTS = frozenset(
    "equation align aligned gather gathered split multline alignat eqnarray displaymath math".split()
)
DECORATED = {r"\underbrace": False, r"\overbrace": False, r"\boxed": False, r"\textcolor": True, r"\color": True}
"""Commands whose argument is read as it stands; true for those with a colour before it."""
NORMS = {r"\infty": "infinity", r"\ast": "*"}
IGNORED_WITH_ARGUMENT = frozenset(r"\label \tag \hspace \vspace \phantom \mathstrut".split())
OTHERS = frozenset(DECORATED) | frozenset(r"\sum \sqrt \left \right \mathit \begin \end \\".split())

KNOWN = (
    SPACING | frozenset(OPERATORS) | frozenset(FUNCTIONS) | STYLING | UPRIGHT | frozenset(ACCENTS) | FRACTIONS
    | frozenset(LETTERS) | frozenset(BARS) | frozenset(OPENERS) | CLOSERS | OTHERS | TRANSPOSES
)  # fmt: skip

_RELATION = "relations and conditions are not part of the notation; declare shapes, as in x : n, on a line of its own"
_DOTS = "write the terms out, or a sum with \\sum_i"
_ARROW = "give the formula alone, without arrows"
_MATRIX = "give a matrix of numbers as the value of a named matrix, and put blocks together with concat(A, B)"
REFUSED = {
    r"\partial": "ask for a derivative of the program instead",
    r"\nabla": "ask for a gradient of the program instead",
    r"\prod": "products over an index are not part of the notation; write exp of a sum of logarithms",
    r"\int": "integrals are not part of the notation",
    r"\infty": "infinity is not part of the notation",
    r"\arg": "give the objective alone, without \\arg\\min",
    r"\argmin": "give the objective alone, without \\argmin",
    r"\argmax": "give the objective alone, without \\argmax",
    r"\underset": "give the objective alone, without what stands below",
    r"\dagger": "write ^{-1} for an inverse, ^\\top for a transpose",
    r"\star": "write x_{opt} for another name",
    r"\lim": "limits are not part of the notation",
    r"\sup": "write \\max(x)",
    r"\inf": "write \\min(x, y)",
    r"\binom": "binomial coefficients are not part of the notation",
    r"\mid": "conditional densities are not part of the notation; give the formula of the density",
    r"\lfloor": "rounding has no derivative and is not part of the notation",
    r"\lceil": "rounding has no derivative and is not part of the notation",
} | {
    rf"\{word}": hint
    for words, hint in (
        ("in ge geq le leq ne neq gt lt approx equiv propto subset ni forall exists geqslant leqslant succ succeq prec "
         "preceq notin ll gg simeq perp iff", _RELATION),
        ("cdots ldots dots ddots vdots dotsc dotsb", _DOTS),
        ("to rightarrow leftarrow Rightarrow mapsto longrightarrow implies gets", _ARROW),
    )
    for word in words.split()
}  # fmt: skip
OTHER_ENVIRONMENTS = {
    name: _MATRIX for name in "matrix pmatrix bmatrix vmatrix Vmatrix Bmatrix smallmatrix array".split()
} | {"cases": r"write \operatorname{where}(c, a, b), with \operatorname{step}(x) as the condition x > 0"}
ELSEWHERE = {
    "rank": "the rank has no derivative",
    "Var": "write the variance with means, as in mean((x - mean(x)).^2)",
    "Cov": "write the covariance with means",
    "KL": "write the divergence out: sum(p .* log(p ./ q))",
    "E": r"write \mathbb{E}_{x \sim \mathcal{N}(\mu, S)}[…]",
    "argmin": "give the objective alone", "argmax": "give the objective alone",
    "ker": "a null space has no derivative", "span": "a span has no derivative",
}  # fmt: skip


def nearest(word: str, words: Collection[str]) -> str | None:
    r"""Give the known word that a slip of one letter makes of this one; None where none is near.

    >>> nearest(r"\fra", [r"\frac", r"\sqrt"]), nearest(r"\in", [r"\sin"])
    ('\\frac', None)
    """
    if len(word.lstrip("\\")) < 3:
        return None
    close = get_close_matches(word, sorted(words), 5, 0.75)
    return next((other for other in close if _is_slip(word, other)), None)


def _is_slip(word: str, other: str) -> bool:
    """Tell whether one letter is missing, too many or wrong, or two are swapped."""
    if abs(len(word) - len(other)) > 1:
        return False
    start = next((k for k, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    here, there = word[start:], other[start:]
    swapped = here[:2] == there[1::-1] and here[2:] == there[2:]
    return swapped or here[1:] == there or here == there[1:] or here[1:] == there[1:]


class Item(NamedTuple):
    """A command, letter, number or sign with its place."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Give the item's place."""
        return Span(self.start, self.end)


def bold_greek(text: str) -> frozenset[str]:
    r"""Find the Greek letters that are bold somewhere: vectors and matrices, as papers write them.

    >>> sorted(bold_greek(r"\boldsymbol{\theta}^\top\mathbf{x} + \bm\beta"))
    ['beta', 'theta']
    """
    return frozenset(word for word in _BOLD_GREEK.findall(text) if word in GREEK)


def itemize(text: str) -> list[Item]:
    """Split LaTeX into items, without spaces; the last ones are of kind ``end``.

    >>> [i.text for i in itemize(r"2 Ax")]
    ['2', 'A', 'x', '', '', '']
    """
    items: list[Item] = []
    position, depth = 0, 0
    while position < len(text):
        found = _ITEM.match(text, position)
        if found is None or found.lastgroup is None:
            character = text[position]
            shown = f"'{character}' " if character.isprintable() else ""
            raise NotationError(
                f"the character {shown}(U+{ord(character):04X}) is not part of LaTeX mathematics as read here",
                source=text,
                places=(Place(Span(position, position + 1)),),
            )
        item = Item(found.lastgroup, found.group(), position, found.end())
        position = item.end
        if item.kind == "space" or item.text in SPACING:
            continue
        items.append(item)
        depth += (item.text in ("{", "(", "[", r"\{")) - (item.text in ("}", ")", "]", r"\}"))
        if depth > DEEPEST_NESTING:
            raise too_deep(text, item.span)
        if len(items) > MOST_TOKENS:
            raise too_many(text, Token(item.kind, item.text, item.start, item.end))
    return items + end_at(len(text))


def end_at(position: int) -> list[Item]:
    """Give the end of a list of items, long enough to look two items ahead."""
    return [Item("end", "", position, position)] * 3
