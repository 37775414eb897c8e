r"""Words of LaTeX: letters, functions with their arguments, names in roman type, letters in other types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pullback.errors import NotationError
from pullback.syntax import latex_tokens as tex
from pullback.syntax.latex_sums import Sums
from pullback.syntax.latex_tape import ENDS
from pullback.syntax.latex_tokens import Item
from pullback.syntax.tokens import Token

_FILLED = {"1": "ones", "I": "eye", "0": "zeros"}
_CONDITIONS = frozenset(["<", ">", "=", ":", r"\{", r"\sim"])
_BRACKETS = ("(", "[", r"\{")


class Words(Sums):
    """Letters, words and functions."""

    def opens(self, item: Item) -> bool:
        r"""Tell whether a parenthesis begins here, with or without ``\left``."""
        return item.text == "(" or (item.text == r"\left" and self.text[item.end :].lstrip()[:1] == "(")

    def letters(self, item: Item) -> None:
        """Translate a letter: a name, with digits right behind it; or a function's name written out."""
        end = self.at
        last = self.at + self.longest
        while end < last and self.items[end].kind == "letter" and self.items[end].start == self.items[end - 1].end:
            end += 1
        word = "".join(i.text for i in self.items[self.at - 1 : end])
        if len(word) > 1 and word in self.functions and self.opens(self.items[end]):
            self.at = end
            self.apply(word, item)
            return
        following = self.item
        if following.kind == "number" and following.start == item.end and following.text.isdigit():
            self.at += 1
            self.emit("name", item.text + following.text, Item("letter", "", item.start, following.end))
            return
        self.refuse_number(item)
        if item.text == "E" and self._expects():
            self._expectation(self._law(item), item)
            return
        self.emit("name", item.text, item)

    def greek(self, item: Item) -> None:
        r"""Translate a Greek letter; ``\pi`` is the number where nothing in the text speaks against it."""
        name = tex.LETTERS[item.text]
        if item.text == r"\sigma":
            primes = self._primes()
            if primes and "sigma" not in self.known and self.opens(self.items[self.at + primes]):
                self.at += primes
                self._slope(item, primes)
                return
            if self.opens(self.item):
                self.apply("sigmoid", item)
                return
        if item.text == r"\pi" and self.is_number_pi:
            self.constant("pi", item)
            return
        self.emit("name", name, item)

    def constant(self, name: str, item: Item) -> None:
        """Write a function of nothing."""
        self.emit("name", name, item)
        self.emit("open", "(", item)
        self.emit("close", ")", item)

    def _primes(self) -> int:
        r"""Count the items of a prime that follows: ``'`` or ``^\prime``."""
        texts = [i.text for i in self.items[self.at : self.at + 4]]
        if texts[0] == "'":
            return 1
        return 2 if texts[:2] == ["^", r"\prime"] else 4 if texts == ["^", "{", r"\prime", "}"] else 0

    def _slope(self, item: Item, primes: int) -> None:
        """Write the derivative of the sigmoid as what it is: s .* (1 - s)."""
        first = len(self.out)
        self.unit()
        argument = self.out[first:]
        del self.out[first:]
        self.emit("open", "(", item)
        self.emit("name", "sigmoid", item)
        self.out += argument
        self.emit("op", ".*", item)
        self.emit("open", "(", item)
        self.emit("number", "1", item)
        self.emit("op", "-", item)
        self.emit("name", "sigmoid", item)
        self.out += argument
        self.emit("close", ")", item)
        self.emit("close", ")", item)

    # Functions

    def apply(self, function: str, item: Item) -> None:
        r"""Translate a function with its argument; ``\sin^2(x)`` is the square of its values."""
        if function not in self.functions:
            raise self._not_known(function, item)
        if function == "log" and self.item.text == r"\det":
            self.at += 1
            function = "logdet"
        power: Item | None = None
        if self.item.text == "^":
            mark = self.take()
            raised = self.argument()
            if len(raised) != 1 or raised[0].kind != "number" or not raised[0].text.isdigit():
                raise self.refuse(
                    f"a superscript behind {item.text} is read only as a positive whole power",
                    mark,
                    "put it behind the argument",
                )
            power = raised[0]
        if self.item.text == "_":
            raise self._lowered(function, item)
        if self.item.text == "'":
            self.emit("name", function, item)
            self.emit("transpose", "'", self.take())
            return
        self._argument_of(function, item)
        if power is not None:
            self.emit("op", ".^", power)
            self.emit("number", power.text, power)

    def _lowered(self, function: str, item: Item) -> NotationError:
        r"""Complain about ``\min_x``, ``\max_i`` and ``\log_2``."""
        if function in ("max", "min"):
            return self.refuse(
                f"what stands below {item.text} is not read",
                self.item,
                rf"give the objective alone, without {item.text}; the largest entry of x is \max(x)",
            )
        if function == "log":
            hint = r"write \frac{\log(x)}{\log(2)}"
            return self.refuse("logarithms are natural here", self.item, hint)
        return self.refuse("'_' behind a function is not read", self.item, "put it behind the argument")

    def _argument_of(self, function: str, item: Item) -> None:
        """Translate a function with its argument, which has brackets, braces, or is one clear operand."""
        following = self.item
        self.emit("name", function, item)
        if self.opens(following):
            self.unit()
            return
        if following.text == "{":
            self.grouped(self.argument(), following)
            return
        if following.text in ("[", r"\{") or (
            following.text == r"\left" and self.items[self.at + 1].text not in tex.BARS
        ):
            self.unit()
            return
        if function == "log" and (following.text == "|" or self.items[self.at + 1].text == "|"):
            first = len(self.out)
            self.unit()
            if self.out[first].kind == "bar":
                self.out.insert(first, Token("open", "(", following.start, following.start))
                self.emit("close", ")", self.items[self.at - 1])
            return
        self.emit("open", "(", following)
        self.unit()
        self.postfix()
        self.emit("close", ")", self.items[self.at - 1])
        after = self.item
        ends = (
            after.kind in ENDS
            or after.text in tex.OPERATORS
            or after.text in tex.CLOSERS
            or after.text in tex.FUNCTIONS
            or self.ends_statement()
        )
        if not ends and after.text not in ("}", r"\right", r"\\", "&") and after.text not in tex.BARS:
            raise self.refuse(f"it is not clear how far {item.text} reaches", after, f"write {item.text}( … )")

    # Words

    def word(self, item: Item) -> None:
        r"""Translate ``\operatorname{tr}``, ``\mathrm{loss}``, ``\rm tr`` and their like."""
        argument = self._switched(item) if item.text in tex.SWITCHES and self.item.text != "{" else self.argument()
        place = Item("", item.text, item.start, self.items[self.at - 1].end)
        if any(i.text in tex.UPRIGHT for i in argument):
            argument = [i for i in argument if i.kind == "letter"]
        if [i.text for i in argument] == [r"\pi"] and item.text != r"\mathit":
            self.constant("pi", place)
            return
        word = self.word_in(argument, item)
        function = tex.WORDS.get(word, word)
        if item.text != r"\mathit" and function in self.functions:
            self.apply(function, Item("", f"{item.text}{{{word}}}", place.start, place.end))
            return
        if item.text != r"\mathit" and len(word) > 1 and word not in self.known and self._applies(item):
            raise self._not_known(word, place)
        if word == "E" and self._expects():
            raise self.no_expectation(place)
        self.emit("name", word, place)

    def _applies(self, item: Item) -> bool:
        """Tell whether a word is a function by what follows it: a bracket, or behind an operator an operand."""
        following = self.item
        if following.text == "(" and tex.PARAMETERS.match(self.text, following.end):
            return False
        if self.opens(following) or following.text in _BRACKETS or following.text == r"\left":
            return True
        is_operand = following.kind in ("letter",) or following.text in tex.LETTERS or following.text in tex.STYLING
        is_operator = item.text in (r"\operatorname", r"\operatorname*")
        return is_operator and (is_operand or following.text == "_")

    def _not_known(self, word: str, item: Item) -> NotationError:
        close = tex.nearest(word, self.functions)
        known = f"did you mean \\operatorname{{{close}}}? " if close else ""
        hint = rf"{known}a product with a variable is written \mathit{{{word}}} \cdot (x)"
        return self.refuse(f"the function {word} is not part of the notation", item, tex.ELSEWHERE.get(word, hint))

    def _switched(self, item: Item) -> list[Item]:
        r"""Take the word behind ``\rm``: the letters that follow without a gap."""
        taken: list[Item] = []
        while self.item.kind == "letter" and (not taken or taken[-1].end == self.item.start):
            taken.append(self.take())
        if not taken:
            raise self.refuse("a word is missing here", item, r"write \operatorname{tr}(A)")
        return taken

    def word_in(self, items: Sequence[Item], item: Item) -> str:
        """Join the letters of a name."""
        gap = any(a.end != b.start for a, b in pairwise(items)) or (
            bool(items) and self.text[items[-1].end :][:1].isspace()
        )
        if gap and item.text in (r"\text", r"\textrm", r"\mbox", r"\hbox"):
            raise self.refuse("words between formulas are not read", item, "give the formula alone")
        parts = [tex.LETTERS.get(i.text, "_" if i.text == r"\_" else i.text) for i in items]
        word = "".join(parts)
        if not re.fullmatch(r"[^\W\d_]\w*", word):
            raise self.refuse("this is not a name", item, "a name has letters, digits and underscores")
        return word

    def accented(self, item: Item) -> None:
        r"""Translate ``\hat{y}`` as the name y_hat."""
        self.emit("name", f"{self._name_in(self.argument(), item)}_{tex.ACCENTS[item.text]}", item)

    def _name_in(self, items: Sequence[Item], item: Item) -> str:
        names = [i for i in items if i.text not in tex.STYLING | tex.UPRIGHT | {r"\mathit", "{", "}"}]
        if len(names) != 1 and not any(i.text in tex.UPRIGHT | {r"\mathit"} for i in items):
            raise self.refuse("an accent stands over one letter here", item, r"write \hat{x}, or \hat{\mathrm{loss}}")
        return self.word_in(names, item)

    # Letters in other types

    def styled(self, item: Item) -> None:
        r"""Translate ``\mathbf{x}`` as x; ``\mathbf{1}_n`` and ``\mathbb{E}_{x \sim …}`` are more than letters."""
        argument = self.argument()
        text = "".join(i.text for i in argument)
        below = self.item.text == "_"
        if below and item.text in tex.BOLD and text in _FILLED and self._is_size():
            self.at += 1
            self._filled(_FILLED[text], self.argument(), item)
        elif text in ("1", "0"):
            self._filled_as_needed(_FILLED[text], item)
        elif text == "E" and item.text == r"\mathbb" and below:
            self.at += 1
            self._expectation(self.argument(), item)
        elif text == "E" and self._expects():
            self._expectation(self._law(item), item)
        elif text == "E" and item.text == r"\mathbb":
            raise self.no_expectation(item)
        elif len(argument) == 1 and argument[0].kind == "letter":
            self.refuse_number(argument[0])
            self.emit("name", text, argument[0])
        elif text == r"\pi":
            self.emit("name", "π", item)
        elif text in tex.LETTERS:
            self.greek(argument[0])
        else:
            self.grouped(argument, item)

    def _is_size(self) -> bool:
        r"""Tell whether the subscript that follows is a size, as in ``1_{m \times n}``, not a condition."""
        kept, at = self.at, self.at + 1
        self.at = at
        below = self.argument()
        self.at = kept
        return not any(i.text in _CONDITIONS or i.text in tex.REFUSED or i.text in tex.BARS for i in below)

    def _filled(self, function: str, below: Sequence[Item], item: Item) -> None:
        self.emit("name", function, item)
        self.emit("open", "(", item)
        part: list[Item] = []
        for i in [*below, Item("mark", ",", item.end, item.end)]:
            if i.text in (",", r"\times"):
                self.inside(part, i)
                self.emit("op", ",", i)
                part = []
            else:
                part.append(i)
        self.out.pop()
        self.emit("close", ")", item)

    def _filled_as_needed(self, function: str, item: Item) -> None:
        """Write ones or zeros whose length follows from where they stand; it gets a letter that is free."""
        following = self.item
        if following.text == "_" or following.text in _BRACKETS or following.text == r"\left":
            raise self.refuse("an indicator of a condition is not read", item, r"step(x) is 1 where x > 0, else 0")
        self.emit("name", function, item)
        self.emit("open", "(", item)
        self.emit("name", self.free_letter(), item)
        self.emit("close", ")", item)

    # Expectations

    def _expectation(self, law: Sequence[Item], item: Item) -> None:
        if r"\sim" not in [i.text for i in law]:
            raise self.no_expectation(item)
        self.emit("name", "E", item)
        self.emit("open", "[", item)
        self.inside(law, law[-1])
        self.emit("close", "]", law[-1])

    def _expects(self) -> bool:
        """Tell whether square brackets follow that are no index notation."""
        if self.item.text == "[":
            return True
        if self.item.text != r"\left" or self.items[self.at + 1].text != "[":
            return False
        kept = self.at
        self.at += 2
        axes = self.axes_below()
        self.at = kept
        return axes is None

    def _law(self, item: Item) -> list[Item]:
        r"""Take ``[x \sim N(\mu, S)]``, as the notation writes it, with ``~`` too."""
        is_left = self.item.text == r"\left"
        start, depth = self.at + is_left, 0
        for at in range(start, len(self.items)):
            depth += (self.items[at].text == "[") - (self.items[at].text == "]")
            if depth == 0:
                break
        else:
            raise self.no_expectation(item)
        law = self.items[start + 1 : at - is_left]
        words = [i.text for i in law]
        if law and r"\sim" not in words and "~" in self.text[law[0].end : law[min(1, len(law) - 1)].start]:
            law.insert(1, Item("command", r"\sim", law[0].end, law[0].end + 1))
        if r"\sim" in [i.text for i in law]:
            self.at = at + 1
        return law

    def no_expectation(self, item: Item) -> NotationError:
        """Complain about an expectation without a law."""
        message = "the expectation does not say over what"
        return self.refuse(message, item, r"write \mathbb{E}_{x \sim \mathcal{N}(\mu, S)}[…]")
