"""Terms as text in one library's words, with parentheses only where they are needed."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pullback.errors import UnsupportedError
from pullback.planning.steps import Extent
from pullback.spelling.dialects import Dialect
from pullback.spelling.term import Term

ATOM, POWER, SIGN, TIMES, PLUS, TEST = 9, 4, 3, 2, 1, 0
"""How tightly a text binds."""

_INFIX = {"add": ("+", PLUS), "subtract": ("-", PLUS), "multiply": ("*", TIMES), "divide": ("/", TIMES),
          "matmul": ("@", TIMES), "greater": (">", TEST), "equal": ("==", TEST), "unequal": ("!=", TEST)}  # fmt: skip
_LEVELS: dict[type[ast.AST], int] = {
    ast.Add: PLUS, ast.Sub: PLUS, ast.Mult: TIMES, ast.Div: TIMES, ast.Pow: POWER, ast.USub: SIGN,
}  # fmt: skip
_DECIMALS = frozenset(k / 10**n for n in (1, 2, 3) for k in range(1, 10))
_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"

Text = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints terms for one library; ``like`` names the array whose type new arrays get."""

    dialect: Dialect
    like: str = ""

    def text(self, term: Term) -> str:
        """A term as an argument or a right side."""
        return self.show(term)[0]

    def at(self, term: Term, level: int) -> str:
        """A term where only what binds at least so tightly may stand."""
        text, own = self.show(term)
        return text if own >= level else f"({text})"

    def show(self, term: Term) -> Text:
        """The text of a term, and how tightly it binds."""
        if term.op in _INFIX:
            return self.infix(term)
        method = getattr(self, f"show_{term.op}", None)
        if method is not None:
            shown: Text = method(term)
            return shown
        return self.function(term)

    def infix(self, term: Term) -> Text:
        sign, level = _INFIX[term.op]
        left, right = term.args
        if term.op == "multiply" and left.is_number:
            quotient = self.quotient(left.detail[0], right)
            if quotient is not None:
                return quotient
        loose = (term.op == "add" and right.op != "add") or (term.op == "multiply" and left.is_number)
        return f"{self.at(left, max(level, PLUS))} {sign} {self.at(right, level if loose else level + 1)}", level

    def quotient(self, coefficient: float, term: Term) -> Text | None:
        """A number times a term as a division, where the number is a fraction."""
        found = fraction(coefficient)
        if found is None:
            return None
        above, below = found
        shown = self.at(term, TIMES)
        if above not in (1, -1):
            shown = f"{formula(above)[0]} * {shown}"
        return f"{'-' if above == -1 else ''}{shown} / {below}", TIMES

    def function(self, term: Term) -> Text:
        """An entrywise function by the pattern of the library; of numbers, by that of plain numbers."""
        if all(arg.is_number for arg in term.args):
            plain = {
                "square": "{0*} ** 2",
                "reciprocal": "1 / {0*}",
                "sign": "math.copysign(1.0, {0})",
                "abs": "abs({0})",
            }
            pattern = plain.get(term.op, f"{self.dialect.of_numbers}{term.op}({{0}})")
        elif term.op in ("maximum", "minimum") and self.dialect.name == "torch" and term.args[1].is_number:
            pattern = f"torch.clamp({{0}}, {'min' if term.op == 'maximum' else 'max'}={{1}})"
        else:
            pattern = self.dialect.functions.get(term.op, "")
        if not pattern:
            raise self.unknown(term.op)
        return self.filled(pattern, term.args)

    def unknown(self, name: str) -> UnsupportedError:
        """What is said of an operation that the library has no word for."""
        return UnsupportedError(f"{name} has no name in {self.dialect.name}", hint="emit another target, or evaluate")

    def filled(self, pattern: str, args: Sequence[Term], **words: object) -> Text:
        """Put arguments into a pattern; those marked with a star are operands, which may need parentheses."""
        for k, arg in enumerate(args):
            if f"{{{k}*}}" in pattern:
                pattern = pattern.replace(f"{{{k}*}}", self.at(arg, ATOM).replace("{", "{{").replace("}", "}}"))
        words |= {"module": self.dialect.module, "like": self.like, "dtype": self.dtype()}
        text = pattern.format(*(self.text(arg) for arg in args), **words)
        return text, _binding(text)

    def dtype(self) -> str:
        """The type of new arrays."""
        return self.dialect.dtype.format(like=self.like) if self.like else "float"

    # leaves

    def show_name(self, term: Term) -> Text:
        return term.detail[0], ATOM

    def show_number(self, term: Term) -> Text:
        return formula(term.detail[0])

    def show_full(self, term: Term) -> Text:
        (value,) = term.detail
        pattern = {0: self.dialect.zeros, 1: self.dialect.ones}.get(value, self.dialect.full)
        shape = term.shape[0] if len(term.shape) == 1 and self.dialect.name != "torch" else None
        shown = formula(shape)[0] if shape is not None else shape_text(term.shape)
        return self.filled(pattern, (), shape=shown, value=formula(value)[0])

    def show_scalar(self, term: Term) -> Text:
        return self.filled(self.dialect.scalar, term.args)

    # views

    def show_permute(self, term: Term) -> Text:
        x = self.at(term.args[0], ATOM)
        if term.detail == (1, 0):
            return f"{x}.T", ATOM
        return f"{x}.{self.dialect.permute}({', '.join(map(str, term.detail))})", ATOM

    def show_index(self, term: Term) -> Text:
        return f"{self.at(term.args[0], ATOM)}[{', '.join(term.detail)}]", ATOM

    def show_reshape(self, term: Term) -> Text:
        x = self.at(term.args[0], ATOM)
        shown = "-1" if term.rank == 1 else ", ".join(formula(n)[0] for n in term.shape)
        return f"{x}.reshape({shown})", ATOM

    def show_broadcast(self, term: Term) -> Text:
        (x,) = term.args
        if x.is_number:
            return self.show_full(Term("full", (), (x.detail[0],), term.shape))
        return self.filled(self.dialect.broadcast, term.args, shape=shape_text(term.shape))

    def show_diagonal(self, term: Term) -> Text:
        if term.detail == (0, 0):
            return self.filled(self.dialect.diagonal, term.args)
        letters = "".join(_LETTERS[k] for k in term.detail)
        kept = "".join(dict.fromkeys(letters))
        return f'{self.dialect.module}.einsum("{letters}->{kept}", {self.text(term.args[0])})', ATOM

    def show_slice(self, term: Term) -> Text:
        start, stop = term.detail
        shown = f"{formula(start)[0] if start else ''}:{formula(stop)[0]}"
        return f"{self.at(term.args[0], ATOM)}[{'..., ' if term.rank > 1 else ''}{shown}]", ATOM

    # functions

    def show_negative(self, term: Term) -> Text:
        return f"-{self.at(term.args[0], TIMES)}", TIMES

    def show_square(self, term: Term) -> Text:
        if term.args[0].is_number or "square" in self.dialect.functions:
            return self.function(term)
        return _raised(self.at(term.args[0], ATOM), "2"), POWER

    def show_reciprocal(self, term: Term) -> Text:
        return f"1 / {self.at(term.args[0], SIGN)}", TIMES

    def show_power(self, term: Term) -> Text:
        if "power" in self.dialect.functions:
            return self.function(term)
        return _raised(self.at(term.args[0], ATOM), self.at(term.args[1], ATOM)), POWER

    def show_copy(self, term: Term) -> Text:
        return self.show(term.args[0])

    def show_cast(self, term: Term) -> Text:
        (test,) = term.args
        return self.dialect.cast.format(self.text(test), like=self.at(test.args[0], ATOM)), ATOM

    def show_where(self, term: Term) -> Text:
        test, a, b = term.args
        shown = self.text(test) if test.is_mask else f"{self.at(test, PLUS)} != 0"
        return f"{self.dialect.module}.where({shown}, {self.text(a)}, {self.text(b)})", ATOM

    def show_finite(self, term: Term) -> Text:
        limit = f"{self.dialect.module}.finfo({self.at(term.args[0], ATOM)}.dtype).max"
        return f"{self.dialect.module}.clip({self.text(term.args[0])}, -{limit}, {limit})", ATOM

    # kernels

    def reduction(self, term: Term, called: str) -> Text:
        axes, keep = term.detail
        (x,) = term.args
        shown = ""
        if keep or len(axes) < x.rank or called == "amax":
            shown = f", {self.dialect.axis}={axes[0] if len(axes) == 1 else axes}"
        tail = f", {self.dialect.keep}=True" if keep else ""
        return f"{self.dialect.module}.{called}({self.text(x)}{shown}{tail})", ATOM

    def show_sum(self, term: Term) -> Text:
        return self.reduction(term, "sum")

    def show_mean(self, term: Term) -> Text:
        return self.reduction(term, "mean")

    def show_max(self, term: Term) -> Text:
        return self.reduction(term, self.dialect.largest)

    def show_outer(self, term: Term) -> Text:
        a, b = term.args
        return f"{self.dialect.module}.outer({self.text(a)}, {self.text(b)})", ATOM

    def show_vdot(self, term: Term) -> Text:
        a, b = term.args
        if a == b:
            return f"{self.dialect.module}.sum({_raised(self.at(a, ATOM), '2')})", ATOM
        return self.filled(self.dialect.vdot, term.args)

    def show_einsum(self, term: Term) -> Text:
        order = list(dict.fromkeys(label for labels in (term.detail[2], *term.detail[:2]) for label in labels))
        spelled = ["".join(_LETTERS[order.index(label)] for label in labels) for labels in term.detail]
        given = ", ".join(self.text(arg) for arg in term.args)
        return f'{self.dialect.module}.einsum("{spelled[0]},{spelled[1]}->{spelled[2]}", {given})', ATOM

    def show_solve(self, term: Term) -> Text:
        vector = term.args[1].rank == 1
        return self.filled(self.dialect.solve_vector if vector else self.dialect.solve, term.args)

    def show_concatenate(self, term: Term) -> Text:
        return self.filled(self.dialect.concatenate, term.args)

    def show_pad(self, term: Term) -> Text:
        (x,) = term.args
        before = term.detail[0]
        first = formula(before)[0] if before else "0"
        after = formula_text(f"{term.shape[-1]!r} - ({before!r}) - ({x.shape[-1]!r})")
        widths = f"({first}, {after})"
        many = f"[{'(0, 0), ' * (x.rank - 1)}{widths}]" if x.rank > 1 else widths
        return self.filled(self.dialect.pad, term.args, widths=many, ends=widths)

    def show_embed(self, term: Term) -> Text:
        labels, kept = term.detail
        (x,) = term.args
        if labels == (0, 0):
            if x.rank == 1:
                return f"{self.dialect.module}.diag({self.text(x)})", ATOM
            eye, _ = self.filled(self.dialect.eye, (), n=formula(term.shape[0])[0])
            if x.is_number and x.detail[0] == 1:
                return eye, ATOM
            return f"{self.at(x, TIMES)} * {eye}", TIMES
        return self.masked(term, labels, kept, x)

    def masked(self, term: Term, labels: tuple[int, ...], kept: tuple[int, ...], x: Term) -> Text:
        """Entries where axes of the same label have the same index, zero elsewhere."""
        tests = []
        for label in kept:
            first, *others = [k for k, other in enumerate(labels) if other == label]
            for second in others:
                index = ", ".join(":" if k in (first, second) else "None" for k in range(first, len(labels)))
                eye, _ = self.filled(self.dialect.mask, (), n=formula(term.shape[first])[0])
                tests.append(eye if index == ":, :" else f"{eye}[{index}]")
        index = ", ".join(":" if labels.index(label) == k else "None" for k, label in enumerate(labels))
        value = f"{self.at(x, ATOM)}[{index}]" if x.rank else self.text(x)
        if x.is_number:
            value = self.filled(self.dialect.scalar, (x,))[0]
        text = f"{self.dialect.module}.where({' & '.join(tests)}, {value}, 0)"
        if not x.rank and any(labels.count(label) == 1 for label in labels):
            return self.filled(
                self.dialect.broadcast.replace("{0}", text).replace("{0*}", text), (), shape=shape_text(term.shape)
            )
        return text, ATOM

    def show_call(self, term: Term) -> Text:
        called, *axis = term.detail
        pattern = self.dialect.along.get(called)
        if pattern is not None:
            rank = term.args[0].rank
            k = axis[0] if rank > 1 and axis[0] != rank - 1 else -1
            shown = (
                "" if rank == 1 and self.dialect.name != "torch" else f", {self.dialect.axis}={k if rank > 1 else -1}"
            )
            return self.filled(pattern, term.args, axis=shown, k=k)
        pattern = self.dialect.functions.get(called) or self.dialect.operations.get(called)
        if pattern is None:
            raise self.unknown(called)
        return self.filled(pattern, term.args)


def _raised(base: str, exponent: str) -> str:
    """A power: close together where both are plain."""
    plain = base.isidentifier() and exponent.replace(".", "").isalnum()
    return f"{base}**{exponent}" if plain else f"{base} ** {exponent}"


def _binding(text: str) -> int:
    """How tightly a filled pattern binds: by its operators outside parentheses."""
    depth, level = 0, ATOM
    for k, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and k and text[k - 1] == " " and sign in "+-":
            level = min(level, PLUS)
        elif depth == 0 and k and text[k - 1] == " " and sign in "*/@":
            level = min(level, POWER if text.startswith("** ", k) else TIMES)
    return min(level, TIMES) if text.startswith("-") else level


def formula(value: float) -> Text:
    """A number or its formula, whole numbers without a point."""
    return formula_and_level(repr(value))


def fraction(value: float) -> tuple[float, str] | None:
    """A number that is one number divided by a formula, or by a whole number: both, the second with parentheses."""
    tree = ast.parse(repr(value), mode="eval").body
    sign = 1.0
    while isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        sign, tree = -sign, tree.operand
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        above, negative = tree.left, 1.0
        if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.USub):
            above, negative = above.operand, -1.0
        if isinstance(above, ast.Constant) and isinstance(above.value, int | float):
            below, level = formula_and_level(ast.unparse(tree.right))
            return sign * negative * above.value, below if level > TIMES else f"({below})"
    if isinstance(tree, ast.Constant) and isinstance(tree.value, float) and 0 < tree.value < 0.4:
        whole = round(1 / tree.value)
        if whole < 1000 and 1 / whole == tree.value and tree.value not in _DECIMALS:
            return sign, str(whole)
    return None


def formula_text(text: str) -> str:
    """A formula, tidied."""
    return formula_and_level(text)[0]


def formula_and_level(text: str) -> Text:
    """A formula tidied, and how tightly it binds."""
    if text in ("inf", "nan", "-inf"):
        return f'float("{text}")', ATOM
    tree = _Tidy().visit(ast.parse(text, mode="eval")).body
    operator = getattr(tree, "op", None)
    level = ATOM if operator is None else _LEVELS[type(operator)]
    if isinstance(tree, ast.UnaryOp):
        level = SIGN if isinstance(tree.operand, ast.Constant | ast.Name) else PLUS
    return ast.unparse(tree), level


class _Tidy(ast.NodeTransformer):
    """Whole numbers without a point, no factors of one, differences of what cancels."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        whole = isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15
        return ast.Constant(int(value)) if whole else node  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Sub):
            terms, gone = _summands(left), _summands(right)
            for one in list(gone):
                if one in terms:
                    terms.remove(one)
                    gone.remove(one)
            if not gone:
                return ast.parse(" + ".join(terms) or "0", mode="eval").body
        if isinstance(node.op, ast.Add | ast.Sub) and isinstance(right, ast.Constant) and right.value == 0:
            return left  # type: ignore[no-any-return]
        if isinstance(node.op, ast.Mult) and isinstance(left, ast.Constant) and left.value == 1:
            return right  # type: ignore[no-any-return]
        return ast.BinOp(left, node.op, right)


def _summands(tree: ast.AST) -> list[str]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        return _summands(tree.left) + _summands(tree.right)
    return [ast.unparse(tree)]


def shape_text(shape: Extent) -> str:
    """A shape as a tuple."""
    inner = ", ".join(formula(n)[0] for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


IDENTIFIERS = re.compile(r"\"[^\"]*\"|(?<![\w.])([A-Za-z_]\w*)(?!\w)(?!=[^=])")


def identifiers(text: str) -> frozenset[str]:
    """The names that stand in a line of source by themselves: no attributes, no keywords, nothing quoted."""
    return frozenset(found for found in IDENTIFIERS.findall(text) if found)
