"""Text to tokens with their places; what can't be a token, or is too much, is refused here."""

from __future__ import annotations

import re
from typing import NamedTuple

from pullback.errors import NotationError, Place, Span
from pullback.syntax.names import SUBSCRIPTS

LONGEST_TEXT = 1_000_000
MOST_TOKENS = 200_000
DEEPEST_NESTING = 200
LONGEST_NUMBER = 400

PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {close: opener for opener, close in PAIRS.items()}

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_TRANSPOSES = "ᵀᵗ⊤"
_SUPERSCRIPT = "".join(SUPERSCRIPTS)
_SUBSCRIPT = "".join(SUBSCRIPTS)
_LETTER = rf"[^\W\d_{_SUPERSCRIPT}{_SUBSCRIPT}ᵀᵗ]"
_WORD = rf"(?:{_LETTER}|[0-9_\u0300-\u036f])"

_TOKEN = re.compile(
    rf"""
    (?P<space>[^\S\n]+|\#[^\n]*)
  | (?P<newline>[\n;])
  | (?P<name>{_LETTER}{_WORD}*(?:(?<=_)\{{[A-Za-z0-9]+\}}|[{_SUBSCRIPT}]+)?)
  | (?P<number>(?:[0-9]+(?:\.(?![*/^'])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<superscript>[{_SUPERSCRIPT}]+)
  | (?P<subscript>[{_SUBSCRIPT}]+|_(?:\{{\w+\}}|\w+))
  | (?P<transpose>\.?'|[{_TRANSPOSES}’′])
  | (?P<bar>\|\|?|‖)
  | (?P<open>[(\[{{])
  | (?P<close>[)\]}}])
  | (?P<op>\*\*|\.\*|\./|\.\^|==|:=|<=|>=|!=|->|[-+*/@·×⋅⊙∘⊘^⊗−=:,~<>≤≥!&%$?\\"`])
    """,
    re.VERBOSE,
)
_SAME = {
    "@": "*", "·": "*", "×": "*", "⋅": "*", "−": "-", "⊙": ".*", "∘": ".*", "⊘": "./", "⊗": "kron", "‖": "||",
    "≤": "<=", "≥": ">=",
}  # fmt: skip
_CONTINUES = frozenset(["+", "-", "*", "/", ".*", "./", ".^", "^", "kron", "=", ",", "<", ">", "<=", ">="])


class Token(NamedTuple):
    """One token: ``text`` is the operator's own form where there are several spellings."""

    kind: str
    text: str
    start: int
    end: int
    raw: str = ""

    @property
    def span(self) -> Span:
        """Give the token's place."""
        return Span(self.start, self.end)


def check_length(text: str) -> None:
    """Refuse a text that is too long to be a program."""
    if len(text) > LONGEST_TEXT:
        raise NotationError(
            f"the text has {len(text):,} characters; the limit is {LONGEST_TEXT:,}",
            hint="a program is a page of formulas: give data as values, not as text",
        )


def tokenize(text: str) -> list[Token]:
    """Split a text into tokens, the last of kind ``end``; brackets are balanced in what is returned.

    A newline inside brackets, or after an operator that needs an operand, is no token.

    >>> [t.text for t in tokenize("y = 2.*x")]
    ['y', '=', '2', '.*', 'x', '']
    """
    check_length(text)
    tokens: list[Token] = []
    brackets = Brackets(text)
    position = 0
    scan = _TOKEN.match
    while position < len(text):
        found = scan(text, position)
        if found is None or found.lastgroup is None:
            raise _unreadable(text, position)
        kind, raw, start, position = found.lastgroup, found.group(), position, found.end()
        if kind == "space" or (kind == "newline" and raw == "\n" and _goes_on(tokens, brackets)):
            continue
        if kind == "name" and not raw.isascii():
            _check_letters(text, raw, start)
        token = Token(kind, _SAME.get(raw, raw), start, position, raw)
        brackets.see(token)
        tokens.append(token)
        if len(tokens) > MOST_TOKENS:
            raise too_many(text, token)
    brackets.finish()
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def is_name(text: str) -> bool:
    """Tell whether a text is one name of the notation.

    >>> is_name("x_1"), is_name("∂y"), is_name("2g"), is_name("")
    (True, False, False, False)
    """
    found = _TOKEN.match(text)
    if found is None or found.lastgroup != "name" or found.end() != len(text):
        return False
    try:
        _check_letters(text, text, 0)
    except NotationError:
        return False
    return True


def too_many(text: str, token: Token) -> NotationError:
    """Say that the program has too many tokens."""
    return NotationError(
        f"the program has more than {MOST_TOKENS:,} symbols",
        source=text,
        places=(Place(token.span, "the limit is reached here"),),
        hint="split it into several programs",
    )


def too_deep(text: str, span: Span, limit: int = DEEPEST_NESTING) -> NotationError:
    """Say that the expression is nested too deeply."""
    return NotationError(
        f"the expression is nested more than {limit} levels deep",
        source=text,
        places=(Place(span, "the limit is reached here"),),
        hint="name the inner parts in statements of their own",
    )


class Brackets:
    """The brackets that are open while a text is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open: list[Token] = []

    def see(self, token: Token) -> None:
        """Take note of a bracket; refuse a closing one that does not match."""
        if token.kind == "open":
            self.open.append(token)
            if len(self.open) > DEEPEST_NESTING:
                raise too_deep(self.text, token.span)
        elif token.kind == "close":
            if not self.open:
                raise NotationError(
                    f"'{token.text}' closes nothing",
                    source=self.text,
                    places=(Place(token.span, "no bracket is open here"),),
                    hint=f"remove it, or add '{_CLOSERS[token.text]}' before",
                )
            opener = self.open.pop()
            if PAIRS[opener.text] != token.text:
                raise NotationError(
                    f"'{opener.text}' is closed by '{token.text}'",
                    source=self.text,
                    places=(Place(opener.span, "opened here"), Place(token.span, "closed here")),
                    hint=f"close it with '{PAIRS[opener.text]}'",
                )

    def finish(self) -> None:
        """Refuse a bracket that was never closed."""
        if self.open:
            opener = self.open[-1]
            raise NotationError(
                f"'{opener.text}' is never closed",
                source=self.text,
                places=(Place(opener.span, "opened here"),),
                hint=f"add '{PAIRS[opener.text]}'",
            )


def _goes_on(tokens: list[Token], brackets: Brackets) -> bool:
    return bool(brackets.open) or (bool(tokens) and tokens[-1].kind == "op" and tokens[-1].text in _CONTINUES)


def _check_letters(text: str, raw: str, start: int) -> None:
    for k, c in enumerate(raw):
        if not (c.isascii() or c.isalpha() or c in SUBSCRIPTS or "\u0300" <= c <= "\u036f"):
            raise _unreadable(text, start + k)


def _unreadable(text: str, position: int) -> NotationError:
    character = text[position]
    shown = f"'{character}' (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
    hint = _HINTS.get(character, "") if character.isprintable() else "the text must be plain text, not a binary file"
    return NotationError(
        f"the character {shown} is not part of the notation",
        source=text,
        places=(Place(Span(position, position + 1)),),
        hint=hint,
    )


_HINTS = {
    "√": "write sqrt(x)",
    "∑": "write sum(x), or [: x[i] y[i]] for a sum over an index",
    "Σ": "write sum(x)",
    "∇": "ask for a gradient of the program instead",
    "∂": "ask for a derivative of the program instead",
    "½": "write 1/2",
    "∈": "declare a shape as in 'W : (m, n)'",
}
