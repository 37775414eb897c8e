"""The elementwise reading of one operand of a statement, from its entries to its closed form.

Three forms of the same chain rule, chosen by where the entries of the operand appear: a vector by a
vector is a matrix of partials times the upstream column; where every entry appears in one place, the sum
over all entries has one term left; else the sum runs over the places in which the entry appears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pullback.derivation.differential import is_told, reasons
from pullback.derivation.expanding import Index, TooLongError, leaves_of
from pullback.derivation.formula import EQUALS, Line, Matrix, Part, column, equation, partial, place, through
from pullback.derivation.indexing import why_step
from pullback.derivation.local import Closed, Local, inlined
from pullback.derivation.readings import Readings
from pullback.derivation.recognition import (
    closed_lines,
    is_summed,
    kind_of_gradient,
    kind_of_matrix,
    numbers_step,
    recognised,
)
from pullback.derivation.scalars import ONE, ZERO, is_zero, plus, rounded, times
from pullback.derivation.scene import Scene, Slopes
from pullback.derivation.standin import MOST_ENTRIES
from pullback.derivation.steps import Parameter, Rule, Shape, Step
from pullback.syntax.tree import Chain, Indexed, Name, Number, Syntax

_MOST_LINES = 16
_MOST_LISTED = 24
_MOST_SAID = 8
_MOST_ZEROS = 24
_LONGEST = 24
_MOST_LEAVES = 256
"""Symbols in one partial derivative, and in all of them."""


def operand_step(
    local: Local,
    scene: Scene | None,
    operand: str,
    closed: Closed,
    readings: Readings | None,
    is_loss: bool,
    is_shared: bool,
    is_first: bool,
) -> Step:
    """Derive the gradient of one operand of a statement; without a scene, its closed form alone."""
    names = local.names
    written = Name(names.spelling.get(operand, operand))
    left = partial(Name(names.loss), written)
    if is_shared:
        left = through(left, local.name)
    steps: list[Step] = [part_step(local, written, left)] if is_shared else []
    numbers = numbers_step(left, closed, readings) if readings is not None else None
    try:
        if scene is None:
            raise TooLongError
        steps += list(_Reading(local, scene, Slopes(scene, operand), closed, left, is_loss).steps(is_first))
    except TooLongError:
        steps.append(Step("operand.rule" if scene is None else "operand.long", {"x": written, "y": Name(local.name)}))
        steps += reasons(local, operand, left, closed, is_loss)
    if numbers is not None:
        steps.append(numbers)
    why = why_step(local, closed, operand, is_shared)
    if why is not None:
        steps.append(why)
    shape = local.shape(closed.expression.axes)
    lines = closed_lines(left, closed)
    if numbers is not None:
        last = numbers.lines[-1].parts
        lines = (*lines, equation(left, last[-1]))
    parameters: dict[str, Parameter] = {"x": written, "y": Name(local.name), "gradient": left, "shape": shape}
    rule = Rule("broadcast") if is_summed(closed) else local.rule_for(operand)
    return Step("operand", parameters, lines, rule, tuple(steps), "brief")


def folded_step(local: Local, operand: str, closed: Closed, is_shared: bool) -> Step:
    """An operand of a statement far back, its closed form alone."""
    written = Name(local.names.spelling.get(operand, operand))
    whole = partial(Name(local.names.loss), written)
    left = through(whole, local.name) if is_shared else whole
    shape = local.shape(closed.expression.axes)
    parameters: dict[str, Parameter] = {"x": written, "y": Name(local.name), "gradient": left, "shape": shape}
    return Step("operand", parameters, closed_lines(left, closed), local.rule_for(operand), (), "brief")


def part_step(local: Local, written: Syntax, left: Syntax) -> Step:
    """What the sign for a part of a gradient means."""
    return Step("part", {"x": written, "y": Name(local.name), "part": left})


class _Reading:
    """The steps for one operand."""

    def __init__(self, local: Local, scene: Scene, slopes: Slopes, closed: Closed, left: Syntax, is_loss: bool) -> None:
        self.local, self.scene, self.slopes, self.closed, self.left = local, scene, slopes, closed, left
        self.is_loss = is_loss
        self.operand = slopes.operand
        self.x: Syntax = Name(local.names.spelling.get(self.operand, self.operand))
        self.y = Name(local.name)

    def steps(self, is_first: bool) -> Iterator[Step]:
        """All steps; the entries of the statement are written out for its first operand."""
        self.measure()
        if is_first:
            yield from self.entries()
        shape = self.scene.axes(self.operand)
        outer = self.scene.axes(self.scene.out)
        if self.slopes.is_single:
            yield from self.collapsed(len(shape), not outer)
        elif len(shape) <= 1 and len(outer) <= 1:
            yield from self.stacked()
        else:
            yield from self.summed()

    def measure(self) -> None:
        """Refuse what no board has room for: raises TooLongError."""
        slopes = self.slopes
        sizes = [leaves_of(slopes.at(o, p)) for p, found in slopes.support.items() for o in found]
        if max(sizes, default=0) > _LONGEST or sum(sizes) > _MOST_LEAVES:
            raise TooLongError

    # what every form begins with

    def entries(self) -> Iterator[Step]:
        """The statement written with its entries, then with the numbers of all but the operand."""
        outs = self.slopes.outs
        if len(outs) > MOST_ENTRIES:
            return
        trees = [self.scene.written(place) for place in outs]
        if not self.says_more(trees):
            return
        symbols = [self.scene.symbol(self.scene.out, place) for place in outs]
        lines = [equation(s, t) for s, t in zip(symbols, trees, strict=True)]
        yield Step("entries", {"y": self.y, "statement": equation(self.y, self.local.tree)}, tuple(lines), self.rule())
        entries = self.scene.entries
        if entries is None:
            return
        filled = [entries.filled(tree, hidden=self.operand) for tree in trees]
        if filled != trees:
            numbered = [equation(s, t) for s, t in zip(symbols, filled, strict=True)]
            others = [n for n in self.scene.local.operands if n != self.operand]
            known: Parameter = Name(self.local.names.spelling.get(others[0], others[0])) if len(others) == 1 else ""
            kind = "entries.numbers" if len(others) == 1 else "entries.numbers.all"
            yield Step(kind, {"others": known, "x": self.x}, tuple(numbered))

    def says_more(self, trees: Sequence[Syntax]) -> bool:
        """Whether entries say more than the statement does: those of an inverse, or of one number, do not."""
        if len(trees) == 1 and trees[0] == self.local.tree:
            return False
        whole = self.local.own_tree
        return whole is None or any(not (isinstance(t, Indexed) and t.operand == whole) for t in trees)

    def rule(self) -> Rule:
        return self.local.rule_for(self.operand)

    # a vector by a vector

    def stacked(self) -> Iterator[Step]:
        scene, slopes = self.scene, self.slopes
        outs, places = slopes.outs, slopes.places
        j: tuple[str, ...] = ("j",) if places != [()] else ()
        terms = [times([scene.gradient(scene.out, o), scene.slope(o, self.operand, j)]) for o in outs]
        general = equation(scene.gradient(self.operand, j), plus(terms))
        kind = "chain" if all(len(found) == len(outs) for found in slopes.support.values()) else "chain.some"
        yield Step(kind, {"x": self.x, "y": self.y, "entry": scene.symbol(self.operand, j)}, (general,), Rule("chain"))
        whole = Matrix(tuple(tuple(scene.slope(o, self.operand, p) for o in outs) for p in places))
        upstream = column(scene.gradient(scene.out, o) for o in outs)
        stack = Line((column(scene.gradient(self.operand, p) for p in places), EQUALS, whole, upstream))
        shape = Shape((str(len(places)), str(len(outs))))
        yield Step("stack", {"x": self.x, "y": self.y, "shape": shape}, (stack,))
        yield self.partials_by_column()
        yield self.recognise_matrix()

    def partials_by_column(self) -> Step:
        """The local partials, the board after each column is filled."""
        slopes = self.slopes
        boards = []
        for count, out in enumerate(slopes.outs, start=1):
            lines = [self.partial_line(out, place) for place in slopes.places]
            board: list[Part] = [self.board(count)]
            if slopes.numbers is not None:
                numbers = self.board(count, numeric=True)
                if numbers != board[0]:
                    board += [EQUALS, numbers]
            parameters: dict[str, Parameter] = {"column": count, "y": self.scene.symbol(self.scene.out, out)}
            boards.append(Step("partials.column", parameters, (*lines, Line(tuple(board)))))
        return Step("partials", {"x": self.x, "y": self.y}, (), self.rule(), tuple(boards))

    def board(self, count: int, numeric: bool = False) -> Matrix:
        """The matrix of local partials with its first columns filled."""

        def cell(out: Index, place: Index) -> Syntax:
            number = self.slopes.number(out, place) if numeric else None
            return self.slopes.at(out, place) if number is None else rounded(number)

        return Matrix(
            tuple(
                tuple(cell(o, p) if k < count else None for k, o in enumerate(self.slopes.outs))
                for p in self.slopes.places
            )
        )

    def partial_line(self, out: Index, place: Index) -> Line:
        """``dy_1/dx_1 = w_11 = 1``."""
        tree = self.slopes.at(out, place)
        sides: list[Part] = [self.scene.slope(out, self.operand, place), tree]
        number = self.slopes.number(out, place)
        if number is not None and not isinstance(tree, Number) and rounded(number) != tree:
            sides.append(rounded(number))
        return equation(*sides)

    def recognise_matrix(self) -> Step:
        slopes = self.slopes
        if () in (self.scene.axes(self.operand), self.scene.axes(self.scene.out)):
            return recognised(self.left, self.closed, "recognise.row", {"x": self.x, "y": self.y})
        spelled = self.local.spell_transposed(self.local.jacobian(self.operand))
        tree = self.local.own_name(inlined(spelled))
        kind = kind_of_matrix(tree)
        entry = slopes.generic(("i",), ("j",))
        parameters: dict[str, Parameter] = {"x": self.x, "y": self.y, "matrix": tree}
        if kind == "transpose" and entry is not None:
            parameters |= {"entry": entry, "place": place(("j", "i")), "base": tree.operand}  # type: ignore[union-attr]
        elif kind == "itself" and entry is not None:
            parameters |= {"entry": entry, "place": place(("j", "i"))}
        elif kind in ("transpose", "itself"):
            kind = "matrix"
        before = (equation(self.board(len(slopes.outs)), tree),)
        return recognised(self.left, self.closed, f"recognise.{kind}", parameters, before)

    def shape_step(self) -> Step:
        """The gradient has the shape of the operand; its entries by name."""
        letters = self.slopes.letters
        parameters: dict[str, Parameter] = {
            "x": self.x,
            "gradient": self.left,
            "shape": self.local.shape(self.closed.expression.axes),
            "entry": self.scene.gradient(self.operand, letters),
            "indices": place(self.scene.subscripts(self.operand, letters)),
        }
        whole = self.shaped(lambda place: self.scene.gradient(self.operand, place))
        kind = "shape" if len(self.scene.shapes[self.operand]) > 1 else "shape.column"
        return Step(kind, parameters, (equation(self.left, whole),))

    # every entry in one place

    def collapsed(self, axes: int, scalar: bool) -> Iterator[Step]:
        if axes:
            yield self.shape_step()
        if scalar:
            yield from self.single_output()
        else:
            yield from self.single_place()
        yield self.partials_listed()
        if axes:
            yield Step("filled", {"gradient": self.left}, (equation(self.left, self.shaped(self.filled)),))
        yield self.recognise_gradient()

    def single_output(self) -> Iterator[Step]:
        """The statement is one number: the chain rule has one term, or none if it is the loss itself."""
        scene, letters = self.scene, self.slopes.letters
        left = scene.gradient(self.operand, letters)
        slope = scene.slope((), self.operand, letters)
        if not self.is_loss:
            term = times([scene.gradient(scene.out, ()), slope])
            yield Step("chain.number", {"x": self.x, "y": self.y}, (equation(left, term),), Rule("chain"))
        elif left != slope:
            yield Step("chain.loss", {"x": self.x, "y": self.y}, (equation(left, slope),), Rule("chain"))

    def single_place(self) -> Iterator[Step]:
        """``w_ij`` appears in ``y_i`` alone; what vanishes is named."""
        scene, slopes = self.scene, self.slopes
        unused = [p for p, found in slopes.support.items() if not found]
        tied = all(b is not None for b in slopes.tied) and not unused
        lines: list[Line] = []
        parameters: dict[str, Parameter] = {"x": self.x, "y": self.y}
        if tied:
            out = slopes.out_letters
            parameters |= {
                "entry": scene.symbol(self.operand, slopes.letters),
                "place": scene.symbol(scene.out, out),
                "gradient": scene.gradient(self.operand, slopes.letters),
            }
            term = times([scene.gradient(scene.out, out), scene.slope(out, self.operand, slopes.letters)])
            lines.append(equation(scene.gradient(self.operand, slopes.letters), term))
        else:
            for p, found in slopes.support.items():
                terms = [times([scene.gradient(scene.out, o), scene.slope(o, self.operand, p)]) for o in found]
                lines.append(equation(scene.gradient(self.operand, p), plus(terms)))
        vanishing = self.vanishing()
        kind = "alone" if tied else "alone.each"
        yield Step(kind, parameters, tuple(lines[:_MOST_LINES]), Rule("chain"))
        if vanishing:
            yield Step("vanish", {"x": self.x, "y": self.y}, vanishing)
        if tied and self.scene.axes(self.operand):

            def product(place: Index) -> Syntax:
                (o,) = slopes.support[place]
                return times([scene.gradient(scene.out, o), scene.slope(o, self.operand, place)])

            kind = "whole" if len(self.scene.shapes[self.operand]) > 1 else "whole.vector"
            yield Step(kind, {"gradient": self.left}, (equation(self.left, self.shaped(product)),))

    def vanishing(self) -> tuple[Line, ...]:
        """The partials that are zero, those of one entry of the statement on a line."""
        slopes = self.slopes
        lines = []
        count = 0
        for out in slopes.outs:
            zero = [p for p in slopes.places if out not in slopes.support[p]]
            count += len(zero)
            if zero:
                sides = [self.scene.slope(out, self.operand, p) for p in zero]
                lines.append(equation(*sides, ZERO))
        return tuple(lines) if count <= _MOST_ZEROS else ()

    def partials_listed(self, most: int = _MOST_LISTED) -> Step:
        """The local partials that do not vanish: with letters, then one by one, or those of one entry if many."""
        scene, slopes = self.scene, self.slopes
        lines: list[Line] = []
        pairs = [(o, p) for p, found in slopes.support.items() for o in found]
        general = slopes.generic(slopes.out_letters, slopes.letters)
        listed = len(pairs) <= (most if general is not None else _MOST_LISTED)
        if general is not None and slopes.letters and len(pairs) > 1:
            lines.append(equation(scene.slope(slopes.out_letters, self.operand, slopes.letters), general))
        first = slopes.places[0]
        for out, where in pairs:
            if listed or where == first:
                lines.append(self.partial_line(out, where))
        kind = "partials" if listed else "partials.some"
        return Step(kind, {"x": self.x, "y": self.y, "count": len(pairs)}, tuple(lines), self.rule())

    def filled(self, place: Index) -> Syntax:
        """An entry of the gradient: its chain rule with the local partials filled in."""
        slopes = self.slopes
        if self.is_loss:
            return plus([slopes.at(o, place) for o in slopes.support[place]])
        return plus(
            [_joined(self.scene.gradient(self.scene.out, o), slopes.at(o, place)) for o in slopes.support[place]]
        )

    # the general form

    def summed(self) -> Iterator[Step]:
        scene, slopes = self.scene, self.slopes
        letters = slopes.letters
        if letters:
            yield self.shape_step()
        places = slopes.appearances
        if places is None:
            chains = tuple(self.chain_of(p, slopes.support[p]) for p in slopes.places)
            yield Step("appears.each", {"x": self.x, "y": self.y}, chains, Rule("chain"))
        else:
            reached = Line(tuple(_separated([scene.symbol(scene.out, o) for o in places])))
            some = len(places) < len(slopes.outs)
            entry = scene.symbol(self.operand, letters)
            parameters: dict[str, Parameter] = {"x": self.x, "y": self.y, "entry": entry, "places": reached}
            chain = self.chain_of(letters, places)
            yield Step("appears" if some else "appears.all", parameters, (chain,), Rule("chain"))
            if some and (vanishing := self.vanishing()):
                yield Step("vanish", {"x": self.x, "y": self.y}, vanishing, detail="full")
        yield self.partials_listed(_MOST_SAID)
        lines = [equation(scene.gradient(self.operand, p), self.filled(p)) for p in slopes.places]
        yield Step("filled", {"gradient": self.left}, tuple(lines))
        yield self.recognise_gradient()

    def chain_of(self, place: Sequence[int | str], outs: Sequence[Sequence[int | str]]) -> Line:
        """The chain rule of an entry, summed over the places of the statement in which it appears."""
        scene = self.scene
        terms = [times([scene.gradient(scene.out, o), scene.slope(o, self.operand, place)]) for o in outs]
        return equation(scene.gradient(self.operand, place), plus(terms))

    # what every form ends with

    def recognise_gradient(self) -> Step:
        closed = self.closed
        kind = kind_of_gradient(closed.tree, closed.expression.node, self.scene.axes(self.operand))
        if not is_told(closed):
            kind = "index"
        elif kind == "form" and not self.scene.axes(self.operand):
            kind = "scalar"
        parameters: dict[str, Parameter] = {"x": self.x, "y": self.y, "gradient": self.left, "form": closed.tree}
        tree = closed.tree
        if kind == "outer" and isinstance(tree, Chain) and len(tree.operands) == 2:
            parameters |= {"column": tree.operands[0], "row": tree.operands[1]}
        elif kind == "outer":
            kind = "form"
        if closed.where and kind == "form":
            kind = "closed"
        return recognised(self.left, closed, f"recognise.{kind}", parameters)

    def shaped(self, cell: Callable[[Index], Syntax]) -> Matrix:
        """A matrix of the shape of the operand, a column if it is a vector."""
        lengths = self.scene.shapes[self.operand]
        rows = lengths[0] if lengths else 1
        flat = [cell(place) for place in self.slopes.places]
        width = max(1, len(flat) // max(1, rows))
        return Matrix(tuple(tuple(flat[k * width : (k + 1) * width]) for k in range(rows)))


def _joined(left: Syntax, right: Syntax) -> Syntax:
    """Multiply by a partial that is filled in; a sum keeps its parentheses."""
    if right == ONE:
        return left
    if is_zero(right):
        return ZERO
    return times([left, right])


def _separated(trees: Sequence[Syntax]) -> list[Part]:
    from pullback.derivation.formula import Sign

    parts: list[Part] = []
    for tree in trees:
        if parts:
            parts.append(Sign(","))
        parts.append(tree)
    return parts
