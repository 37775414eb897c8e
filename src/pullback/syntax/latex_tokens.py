"""LaTeX text to its smallest items, and the tables of commands that the reader knows."""

from __future__ import annotations

import re
from typing import NamedTuple

from pullback.errors import NotationError, Place, Span
from pullback.syntax.names import GREEK, LATEX_GREEK
from pullback.syntax.tokens import DEEPEST_NESTING, MOST_TOKENS, Token, too_deep, too_many

_ITEM = re.compile(
    r"""
    (?P<space>[^\S\n]+|~|(?<!\\)(?:%|\#)[^\n]*|\$+)
  | (?P<newline>\n|;)
  | (?P<command>\\[A-Za-z]+\*?|\\.|\\\n)
  | (?P<number>(?:[0-9]+(?:\.(?![*/^'])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![0-9]))?)
  | (?P<letter>[^\W\d_ᵀᵗ])
  | (?P<mark>\.\*|\./|\.\^|:=|[-^_{}()\[\]|'+*/@=,:&<>!·×⋅⊙∘⊘⊗−‖ᵀᵗ⊤’?\"])
    """,
    re.VERBOSE,
)

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
    r"\erf": "erf", r"\sigmoid": "sigmoid", r"\rank": "rank", r"\norm": "norm", r"\abs": "abs",
}  # fmt: skip
WORDS = {"Tr": "tr", "trace": "tr", "ln": "log", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu", "sgn": "sign",
         "Diag": "diag", "Vec": "vec", "KL": "KL", "lse": "logsumexp", "LSE": "logsumexp"}  # fmt: skip
TRANSPOSES = frozenset([r"\top", r"\intercal", r"\prime", "'", "T", "⊤", "ᵀ", r"\transpose"])
STYLING = frozenset(
    r"\mathbf \boldsymbol \bm \vec \mathcal \mathbb \mathfrak \mathscr \pmb \symbf \bf \underline".split()
)
UPRIGHT = frozenset(
    r"\mathrm \text \operatorname \operatorname* \mathsf \textrm \textup \rm \mathop \texttt \mathtt".split()
)
ACCENTS = {r"\hat": "hat", r"\widehat": "hat", r"\bar": "bar", r"\overline": "bar", r"\tilde": "tilde",
           r"\widetilde": "tilde", r"\check": "check", r"\breve": "breve"}  # fmt: skip
FRACTIONS = frozenset(r"\frac \tfrac \dfrac \cfrac".split())
LETTERS = {f"\\{word}": GREEK[word] for word in LATEX_GREEK} | {r"\ell": "ℓ", r"\omicron": "ο"}
BARS = {r"\|": "||", r"\Vert": "||", r"\lVert": "||", r"\rVert": "||", "‖": "||",
        "|": "|", r"\vert": "|", r"\lvert": "|", r"\rvert": "|"}  # fmt: skip
OPENERS = {"(": ")", "[": "]", r"\{": r"\}", r"\lbrace": r"\rbrace", r"\lbrack": r"\rbrack", r"\langle": r"\rangle"}
CLOSERS = frozenset(OPENERS.values())
ENVIRONMENTS = frozenset(
    "equation align aligned gather gathered split multline alignat eqnarray displaymath math".split()
)
IGNORED_WITH_ARGUMENT = frozenset(r"\label \tag \hspace \vspace \phantom \mathstrut".split())
OTHERS = frozenset(r"\sum \sqrt \left \right \mathit \begin \end \\".split())

KNOWN = (
    SPACING | frozenset(OPERATORS) | frozenset(FUNCTIONS) | STYLING | UPRIGHT | frozenset(ACCENTS) | FRACTIONS
    | frozenset(LETTERS) | frozenset(BARS) | frozenset(OPENERS) | CLOSERS | OTHERS | TRANSPOSES
)  # fmt: skip

REFUSED = {
    r"\partial": "ask for a derivative of the program instead",
    r"\nabla": "ask for a gradient of the program instead",
    r"\prod": "products over an index are not part of the notation; write exp of a sum of logarithms",
    r"\int": "integrals are not part of the notation",
    r"\infty": "infinity is not part of the notation",
    r"\arg": "give the objective alone",
    r"\dagger": "write ^{-1} for an inverse, ^\\top for a transpose",
    r"\star": "write x_{opt} for another name",
}


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
