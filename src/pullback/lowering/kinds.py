"""What the names of a program are, where it is not declared: the kinds that cost least.

A name suggests a kind, and the text gives evidence for others: a determinant is of a matrix, a transposed
name is hardly a scalar. Every kind of a name has a cost, every odd use in the whole program another one
(see ``weighing``); what is taken is the assignment of least cost that gives shapes, if it is the only one.
Changing a Greek name to a vector is cheaper than changing a Latin vector to a scalar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from pullback.errors import PullbackError, UnsupportedError
from pullback.syntax.forms import children
from pullback.syntax.latex_tokens import bold_greek
from pullback.syntax.names import is_greek
from pullback.syntax.parser import is_latex
from pullback.syntax.tree import (
    Call,
    Chain,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Program,
    Syntax,
    Transpose,
)

OF_MATRICES = frozenset("det logdet tr inv chol expm".split())
OF_ARRAYS = frozenset("norm norm1 softmax logsumexp sum mean max diag vec".split())
"""Functions of one argument that has entries; ``max(a, b)`` has two."""

GREEK_TO_VECTOR, GREEK_TO_MATRIX = 10, 15
CAPITAL_TO_VECTOR, CAPITAL_TO_MATRIX = 20, 5
ROW, GREEK_ROW = 8, 11
TO_SCALAR, TO_ANOTHER = 40, 70
ODD, RATHER_ODD, VERY_ODD = 25, 12, 60
ODD_CAPITAL = 20
ODD_SUM = 35

_MOST_CHANGED = 24
_MOST_COST = 130
_MOST_TRIED = 240
_CHARACTERS_TRIED = 120_000
_MOST_QUEUED = 20_000

Ranks = Mapping[str, int]
_SCALAR = {0: 0}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a program with some kinds: what is odd in it, or why it can't be.

    ``seen`` are the names whose kinds had a part in it.
    """

    cost: int = 0
    seen: frozenset[str] = frozenset()
    error: PullbackError | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The ranks chosen; ``others`` are those that would do as well, and ``error`` is why there are none."""

    ranks: Ranks
    others: tuple[Ranks, ...] = ()
    error: PullbackError | None = None


def is_capital(name: str) -> bool:
    """Tell whether a Greek name begins with a capital letter: Sigma, not sigma."""
    return name[:1].isupper()


def choose(
    program: Program, guesses: Ranks, attempt: Callable[[Ranks], Attempt], scalar_output: bool = False
) -> Choice:
    """Find the ranks of names that are not declared.

    Args:
        program: The program.
        guesses: The names, with the rank that each suggests.
        attempt: Lowers the program with ranks.
        scalar_output: Whether the output must be a scalar; then, of the Latin names, only one may change, to
            a scalar, a matrix only beside something that is none, and nothing odd is taken.
    """
    costs = _costs(program, guesses, scalar_output)
    budget = min(_MOST_TRIED, max(12, _CHARACTERS_TRIED // (1 + len(program.source))))
    refused: list[dict[str, int]] = []
    first: PullbackError | None = None
    best: int | None = None
    found: list[Ranks] = []
    cheapest: int | None = None
    for least, ranks in _from_least(costs, scalar_output, guesses):
        cheapest = least if cheapest is None else cheapest
        if (best is not None and least > best) or not budget:
            break
        if any(all(ranks[name] == rank for name, rank in partial.items()) for partial in refused):
            continue
        budget -= 1
        outcome = attempt(ranks)
        if isinstance(outcome.error, UnsupportedError) and (best is None or least < best):
            return Choice({}, (), outcome.error)
        if outcome.error is not None:
            first = first or outcome.error
            refused.append({name: rank for name, rank in ranks.items() if name in outcome.seen})
            continue
        total = least + outcome.cost
        far_fetched = refused and total - cheapest > _MOST_COST
        if far_fetched or (scalar_output and outcome.cost >= ODD):
            continue
        if best is None or total < best:
            best, found = total, []
        if total == best:
            found.append(ranks)
    if not found:
        return Choice({}, (), first)
    return Choice(found[0], tuple(found[1:]), first)


def _costs(program: Program, guesses: Ranks, scalar_output: bool) -> dict[str, dict[int, int]]:
    """Give what each rank of each name costs on the evidence of the name and the places where it stands."""
    costs = {name: _changes(name, guess, scalar_output) for name, guess in guesses.items()}
    said: dict[str, dict[int, int]] = {}
    odds: dict[str, int] = {}
    rows = is_latex(program.source)
    for binding in program.bindings:
        for name, allowed, odd in _evidence(binding.value, rows):
            if name not in costs:
                continue
            if allowed:
                known = said.get(name, allowed)
                both = {rank: max(cost, known[rank]) for rank, cost in allowed.items() if rank in known}
                said[name] = both or dict(known)
            else:
                odds[name] = odds.get(name, 0) + odd
    for name in bold_greek(program.source) if rows else ():
        odds[name] = odds.get(name, 0) + ODD
    for name, ranks in costs.items():
        ranks = said.get(name, ranks)
        if scalar_output and name in odds and len(ranks) > 1:
            ranks.pop(0, None)
        elif 0 in ranks:
            ranks[0] += odds.get(name, 0)
        costs[name] = ranks
    return costs


def _changes(name: str, guess: int, scalar_output: bool) -> dict[int, int]:
    if is_greek(name) and guess == 0:
        capital = is_capital(name)
        return {
            0: 0,
            1: CAPITAL_TO_VECTOR if capital else GREEK_TO_VECTOR,
            2: CAPITAL_TO_MATRIX if capital else GREEK_TO_MATRIX,
        }
    if scalar_output:
        return {guess: 0, 0: TO_SCALAR if guess == 1 else TO_ANOTHER}
    return {rank: 0 if rank == guess else TO_SCALAR if guess == 1 and rank == 0 else TO_ANOTHER for rank in range(3)}


def _evidence(tree: Syntax, rows: bool) -> Iterator[tuple[str, Mapping[int, int], int]]:
    """Walk what places say of bare names: the ranks that the name can have, or how odd a scalar is there."""
    todo = [tree]
    while todo:
        node = todo.pop()
        match node:
            case Transpose(Name(name)):
                yield name, {}, ODD
            case Call(function, (Name(name),)) if function in OF_MATRICES:
                yield name, {}, VERY_ODD
            case Call(function, (Name(name),)) if function in OF_ARRAYS:
                yield name, {}, ODD
            case Indexed(Name(name), indices):
                yield name, _of_entries(name, len(indices), rows), 0
            case Power(base, exponent, False):
                if isinstance(exponent, Name):
                    yield exponent.identifier, _SCALAR, 0
                if isinstance(base, Name):
                    yield base.identifier, _of_powers(base.identifier), 0
                    if is_capital(base.identifier) and _is_negative(exponent):
                        yield base.identifier, {}, ODD_CAPITAL
            case Expectation(_, mean, covariance):
                if isinstance(mean, Name):
                    yield mean.identifier, {1: 0}, 0
                if isinstance(covariance, Name):
                    yield covariance.identifier, {2: 0}, 0
            case Chain(operands, operators):
                for operator, operand in zip(operators, operands[1:], strict=True):
                    if operator == "/":
                        for name in _scalars(operand):
                            yield name, _SCALAR, 0
        todo.extend(reversed(children(node)))


def _of_powers(name: str) -> Mapping[int, int]:
    """Give the ranks of a name that is raised to a power: no vector is."""
    if is_greek(name):
        return {0: 0, 2: CAPITAL_TO_MATRIX if is_capital(name) else GREEK_TO_MATRIX}
    return {2: 0, 0: TO_ANOTHER} if is_capital(name) else {0: 0, 2: TO_ANOTHER}


def _of_entries(name: str, count: int, rows: bool) -> Mapping[int, int]:
    """Give the ranks of a name with indices; in LaTeX, x_i is an entry of a vector or a row of a matrix."""
    if count != 1 or not rows:
        return {count: 0}
    if is_greek(name):
        return {1: 0, 2: GREEK_ROW}
    return {2: 0, 1: TO_ANOTHER} if is_capital(name) else {1: 0, 2: ROW}


def _is_negative(tree: Syntax) -> bool:
    return isinstance(tree, Negate) or (isinstance(tree, Number) and tree.value < 0)


def _scalars(divisor: Syntax) -> tuple[str, ...]:
    """Give the names in a divisor that can only be scalars: the factors of a product without a transpose."""
    match divisor:
        case Name(name):
            return (name,)
        case Power(base, _, False):
            return _scalars(base)
        case Call("sqrt", (argument,)):
            return _scalars(argument)
        case Chain(operands) if not divisor.is_sum and all(isinstance(o, Name | Number | Power) for o in operands):
            return tuple(name for operand in operands for name in _scalars(operand))
    return ()


def _from_least(
    costs: Mapping[str, Mapping[int, int]], scalar_output: bool, guesses: Ranks
) -> Iterator[tuple[int, dict[str, int]]]:
    """Give assignments of ranks in the order of what the ranks cost; equal costs in the order of the names."""
    options = {name: sorted(ranks.items(), key=lambda pair: (pair[1], pair[0])) for name, ranks in costs.items()}
    base = {name: pairs[0][0] for name, pairs in options.items()}
    least = sum(pairs[0][1] for pairs in options.values())
    open_names = [name for name, pairs in options.items() if len(pairs) > 1]
    open_names.sort(key=lambda name: options[name][1][1])
    open_names = open_names[:_MOST_CHANGED]
    order = count()
    queue: list[tuple[int, int, int, int, dict[str, int]]] = [(least, next(order), 0, 0, {})]
    while queue:
        cost, _, start, latin, changed = heappop(queue)
        ranks = base | changed
        alone = scalar_output and latin and not any(ranks.values())
        if not (alone and any(guesses[name] == 2 for name in changed)):
            yield cost, ranks
        for position in range(start, len(open_names)):
            name = open_names[position]
            for rank, price in options[name][1:]:
                total = cost + price - options[name][0][1]
                drastic = latin + (price >= TO_SCALAR)
                if scalar_output and drastic > 1:
                    continue
                if total - least <= _MOST_COST and len(queue) < _MOST_QUEUED:
                    heappush(queue, (total, next(order), position + 1, drastic, {**changed, name: rank}))
