"""What the parser says where it can't go on: the sentence, the place, and what would mend it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pullback.errors import NotationError, Place, Span
from pullback.syntax.names import GREEK, normalise
from pullback.syntax.tokens import Token

_GLUED = re.compile(r"[A-Z]+[a-z]")

_HINTS = {
    "**": "write ^ for a power and .^ for an entrywise power",
    "==": "write = to bind a name; the comparisons are <, >, <= and >=",
    ":=": "write = to bind a name",
    "=": "'=' binds one name at the start of a statement: y = W x",
    "!=": "the comparisons are <, >, <= and >=",
    "!": "there is no factorial in the notation",
    ",": "a comma stands between the arguments of a function; statements are separated by ';'",
    ":": "a declaration is a statement of its own: W : (m, n)",
    "~": "an expectation is written E[x ~ N(mu, S)] x' x",
    "\\": "write solve(A, b), or inv(A) b",
    "%": "comments begin with #",
    "&": "remove it, or write the program in LaTeX",
    "$": "remove it, or write the program in LaTeX",
    "{": "braces are for exponents and subscripts; group with ( )",
}

_ELSEWHERE = {
    "ln": "log", "trace": "tr", "determinant": "det", "inverse": "inv", "transpose": "A'", "logistic": "sigmoid",
    "log2": "log(x) / log(2)", "log10": "log(x) / log(10)", "log1p": "log(1 + x)", "expm1": "exp(x) - 1",
    "lse": "logsumexp", "trans": "A'", "frobenius": "norm", "hadamard": "A .* B", "matmul": "A B", "identity": "eye",
    "maximum": "max", "minimum": "min", "swish": "silu", "cholesky": "chol", "average": "mean", "sgn": "sign",
    "log_softmax": "log(softmax(x))", "logsoftmax": "log(softmax(x))", "pow": "x .^ p", "power": "x .^ p",
    "lrelu": "leaky_relu", "sinh1": "sinh", "logsigmoid": "log(sigmoid(x))", "norm2": "norm", "trc": "tr",
}  # fmt: skip


def _place(tokens: Sequence[Token], at: int, label: str = "") -> Place:
    token = tokens[at]
    if token.kind == "end" and at:
        end = tokens[at - 1].end
        return Place(Span(end, end + 1), label)
    return Place(token.span, label)


def _spelt(token: Token) -> str:
    if token.kind == "end":
        return "the end of the text"
    return "the end of the line" if token.raw == "\n" else f"'{token.raw or token.text}'"


def no_operand(text: str, tokens: Sequence[Token], at: int) -> NotationError:
    """Complain that something other than an operand stands where one is needed."""
    token, hint = tokens[at], ""
    if token.kind == "op":
        hint = _HINTS.get(token.text, "")
    elif token.kind == "open":
        hint = _HINTS.get(token.text, "")
    elif token.kind == "transpose":
        hint = "a transpose follows its operand: x'"
    elif token.kind in ("superscript", "subscript"):
        hint = "a power follows its operand: x²"
    after = tokens[at - 1] if at else None
    if after is not None and after.kind == "op":
        message = f"'{after.raw}' is followed by {_spelt(token)}, not by an operand"
    else:
        message = f"an operand is needed before {_spelt(token)}"
    return NotationError(message, source=text, places=(_place(tokens, at, "an operand is needed here"),), hint=hint)


def unexpected(text: str, tokens: Sequence[Token], at: int, within: Token | None = None) -> NotationError:
    """Complain about a token that can't follow an expression."""
    token = tokens[at]
    places = [_place(tokens, at)]
    hint = _HINTS.get(token.text, "")
    if within is not None:
        places.append(Place(within.span, "inside this bracket"))
        if token.text == ";":
            hint = "a statement can't end inside a bracket"
    if token.kind == "subscript":
        hint = "only names and norms have subscripts"
    return NotationError(f"{_spelt(token)} can't stand here", source=text, places=tuple(places), hint=hint)


def no_index(text: str, tokens: Sequence[Token], at: int, opener: Token) -> NotationError:
    """Complain about square brackets that hold something other than index names."""
    token = tokens[at]
    if token.kind == "number" and opener is tokens[at - 1] and tokens[at + 1].text in ("]", ","):
        message, hint = "an index is a name here, not a number", "entries are written A[i,j] inside [i,j: …]"
    else:
        message = "square brackets hold index notation, not a matrix of numbers or expressions"
        hint = "give the numbers as a value of a named matrix; index notation is written [i,j: x[i] y[j]]"
    return NotationError(
        message, source=text, places=(_place(tokens, at), Place(opener.span, "opened here")), hint=hint
    )


def refuse_glued_transpose(text: str, token: Token) -> None:
    """Refuse ``x^Tx``, which could be a transpose or a power."""
    if token.kind == "name" and token.text.startswith("T") and token.text[1:2].isalpha():
        raise NotationError(
            f"'^{token.text}' could be a transpose or a power",
            source=text,
            places=(Place(token.span),),
            hint=f"write ^T {token.text[1:]} for the transpose, ^({token.text}) for the power",
        )


def refuse_glued_product(text: str, token: Token) -> None:
    """Refuse ``||Ax - b||``, where Ax could be one name or, as in papers, a product."""
    if token.raw == token.text and _GLUED.fullmatch(token.text) and token.text not in GREEK:
        raise NotationError(
            f"'{token.text}' between bars could be one name or a product",
            source=text,
            places=(Place(token.span),),
            hint=f"write {' '.join(token.text)} for the product; or declare it, {token.text} : vector",
        )


def unknown_function(text: str, token: Token, functions: Collection[str]) -> NotationError | None:
    """Complain where a name before a parenthesis looks like a misspelt function; None for any other name."""
    word = normalise(token.text)
    if len(word) < 2 or not word.isascii() or word.rstrip("0123456789") in GREEK:
        return None
    known = _ELSEWHERE.get(word.lower()) or (word.lower() if word.lower() in functions else None)
    if known is None and len(word) >= 3:
        from difflib import get_close_matches

        close = get_close_matches(word.lower(), list(functions), 1, 0.75)
        known = close[0] if close else None
    if known is None:
        return None
    return NotationError(
        f"unknown function '{token.text}'",
        source=text,
        places=(Place(token.span),),
        hint=f"did you mean {known}? (a product is written {token.text} * (x))",
    )


def nearest(word: str, words: Collection[str]) -> str:
    """Give a hint with the nearest known word, or with all of them."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), list(words), 1, 0.6)
    return f"did you mean {close[0]}?" if close else "known are " + ", ".join(words)


def is_near(word: str, words: Collection[str]) -> bool:
    """Tell whether a word of some length looks like a misspelt known one."""
    if len(word) < 5:
        return False
    from difflib import get_close_matches

    return bool(get_close_matches(word.lower(), list(words), 1, 0.8))
