"""How a wrong gradient relates to the right one as a whole: transposed, scaled, not summed, swapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations
from typing import Any

from pullback.auditing.trial import TOLERANCE, close

_FACTORS = [Fraction(k) for k in (2, 3, 4)] + [Fraction(1, k) for k in (2, 3, 4)] + [Fraction(3, 2), Fraction(2, 3)]


@dataclass(frozen=True)
class Relation:
    """What makes the claim of the right answer, by the key of a message."""

    key: str
    rank: float
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """A claim beside the right answer at one trial, and what else it may have been mixed up with."""

    claim: Any
    right: Any
    without_upstream: Any
    others: Mapping[str, Any]
    variable: Any
    sizes: Mapping[str, int]
    batch: str | None
    is_text: bool = True
    tolerance: float = TOLERANCE

    def same(self, left: Any, right: Any) -> bool:
        """Whether two arrays agree."""
        return close(left, right, self.tolerance)


def relations(pairs: Sequence[Compared]) -> Iterator[Relation]:
    """All relations that hold at every trial."""
    import numpy as np

    def every(test: Any) -> bool:
        return all(bool(test(p)) for p in pairs)

    if every(lambda p: np.asarray(p.claim).size > 0 and not np.any(p.claim)) and not every(
        lambda p: not np.any(p.right)
    ):
        yield Relation("zero", 1.0)
        return
    if every(lambda p: p.claim.ndim >= 1 and not np.all(np.isfinite(p.claim)) and bool(np.all(np.isfinite(p.right)))):
        yield Relation("not_finite", 1.0)
        return
    yield from _shapes(pairs, every)
    yield from _scales(pairs)
    if every(lambda p: p.same(p.claim, p.without_upstream)):
        yield Relation("upstream_forgotten", 0.8)
    for other in pairs[0].others:
        if every(lambda p, other=other: p.same(p.claim, p.others[other])):
            yield Relation("swapped", 0.9, {"other": other})
    if every(lambda p: _square(p.right)):
        if every(lambda p: p.same(p.claim, p.right + p.right.T - np.diag(np.diag(p.right)))):
            yield Relation("structured", 0.9)
        elif every(lambda p: p.same(p.claim, p.right + p.right.T)):
            yield Relation("symmetrised_sum", 0.95)
        elif every(lambda p: p.same(p.claim, (p.right + p.right.T) / 2)):
            yield Relation("symmetrised", 0.95)
        if every(lambda p: p.same(p.claim, np.diag(np.diag(p.right)))):
            yield Relation("diagonal_only", 1.0)
    yield from _decay(pairs)


def _square(array: Any) -> bool:
    return bool(array.ndim == 2 and array.shape[0] == array.shape[1] and array.shape[0] > 1)


def _shapes(pairs: Sequence[Compared], every: Any) -> Iterator[Relation]:
    import numpy as np

    if every(lambda p: p.claim.ndim == 2 and p.right.ndim == 2 and p.same(p.claim, p.right.T)):
        yield Relation("transposed", 0.5)
    if every(lambda p: p.claim.shape != p.right.shape and p.claim.size == p.right.size):
        if every(lambda p: p.same(p.claim.reshape(-1), p.right.reshape(-1))):
            squeezed = [n for n in pairs[0].claim.shape if n != 1] == [n for n in pairs[0].right.shape if n != 1]
            key = "flattened" if not squeezed else "row_or_column" if pairs[0].is_text else "axis_of_one"
            yield Relation(key, 0.45 if squeezed else 0.6)
    if every(lambda p: p.claim.size == p.right.size and p.right.ndim >= 2):
        if every(lambda p: p.same(_in_columns(p.claim), p.right.reshape(-1))) or every(
            lambda p: p.same(p.claim.reshape(-1), _in_columns(p.right))
        ):
            if not every(lambda p: p.same(p.claim, p.right.T)):
                yield Relation("layout", 0.7)
    right = pairs[0].right
    if pairs[0].claim.ndim > right.ndim:
        for axis in range(pairs[0].claim.ndim):
            for key, reduce in (("not_summed", np.sum), ("not_averaged", np.mean)):
                if every(
                    lambda p, axis=axis, reduce=reduce: (
                        p.claim.ndim > axis and p.claim.shape[axis] > 1 and p.same(reduce(p.claim, axis=axis), p.right)
                    )
                ):
                    yield Relation(key, 0.5, {"axis": _axis_name(pairs, axis)})
    if pairs[0].claim.ndim < right.ndim:
        for axis in range(right.ndim):
            if every(lambda p, axis=axis: p.same(p.claim, p.right.sum(axis=axis))):
                yield Relation("summed_too_much", 0.6, {"axis": str(axis + 1)})
        if every(lambda p: p.claim.ndim == 0 and p.same(p.claim, p.right.sum())):
            yield Relation("summed_to_number", 0.6)
    if right.ndim > 2:
        for order in permutations(range(right.ndim)):
            if order != tuple(range(right.ndim)) and every(lambda p, o=order: p.same(p.claim, p.right.transpose(o))):
                yield Relation("axes_permuted", 0.7, {"order": ", ".join(str(k + 1) for k in order)})
                break


def _in_columns(array: Any) -> Any:
    """The entries with the first axis running fastest."""
    return array.reshape(-1, order="F")


def _axis_name(pairs: Sequence[Compared], axis: int) -> str:
    lengths = [p.claim.shape[axis] for p in pairs]
    for name in pairs[0].sizes:
        if [p.sizes[name] for p in pairs] == lengths:
            return name
    return str(axis + 1)


def _scales(pairs: Sequence[Compared]) -> Iterator[Relation]:
    """A claim that is a number times the right answer."""
    import numpy as np

    ratios = []
    for p in pairs:
        if p.claim.shape != p.right.shape or not np.all(np.isfinite(p.claim)) or not np.any(p.right):
            return
        at = np.unravel_index(int(np.argmax(np.abs(p.right))), p.right.shape) if p.right.ndim else ()
        ratio = float(p.claim[at] / p.right[at])
        if ratio == 0 or not p.same(p.claim, ratio * p.right):
            return
        ratios.append(ratio)
    yield from scale_of(ratios, [p.sizes for p in pairs], pairs[0].batch)


def scale_of(ratios: Sequence[float], sizes: Sequence[Mapping[str, int]], batch: str | None) -> Iterator[Relation]:
    """Recognise a factor: a sign, a small number, a length, or products of these."""

    def is_(value: Any) -> bool:
        return all(abs(r - float(value(s))) <= 1e-7 * abs(r) for r, s in zip(ratios, sizes, strict=True))

    if is_(lambda s: -1):
        yield Relation("sign", 0.4)
        return
    for factor in _FACTORS:
        for sign in (1, -1):
            if is_(lambda s, f=factor * sign: f):
                key = "factor_missing_number" if factor < 1 else "factor_surplus_number"
                if factor.numerator != 1 and factor.denominator != 1:
                    key = "factor_wrong_number"
                number = 1 / factor if factor < 1 else factor
                yield Relation(
                    key if sign == 1 else "factor_and_sign", 0.5, {"number": str(number), "ratio": str(factor * sign)}
                )
                return
    small = [Fraction(1), Fraction(2), Fraction(1, 2)]
    names = list(sizes[0])
    products: list[tuple[str, Any]] = [(n, lambda s, n=n: s[n]) for n in names]
    products += [(f"{n} {m}", lambda s, n=n, m=m: s[n] * s[m]) for k, n in enumerate(names) for m in names[k:]]
    products += [(f"({n} - 1)", lambda s, n=n: s[n] - 1) for n in names]
    products += [(f"{n} / ({n} - 1)", lambda s, n=n: s[n] / max(s[n] - 1, 1e-9)) for n in names]
    for text, value in products:
        for factor in small:
            for sign in (1, -1):
                lead = "" if factor == 1 else f"{factor} "
                minus = "-" if sign < 0 else ""
                if is_(lambda s, f=sign * factor, v=value: f * v(s)):
                    key = "mean_missing" if factor == 1 and sign == 1 else "length_factor"
                    yield Relation(key, 0.6, {"n": text, "ratio": f"{minus}{lead}{text}"})
                    return
                if is_(lambda s, f=sign * factor, v=value: f / v(s)):
                    key = "mean_surplus" if factor == 1 and sign == 1 else "length_factor"
                    yield Relation(key, 0.6, {"n": text, "ratio": f"{minus}{factor} / {text}"})
                    return
    for n in names:
        if is_(lambda s, n=n: s[n] ** 0.5) or is_(lambda s, n=n: s[n] ** -0.5):
            key = "part_surplus" if ratios[0] > 1 else "part_missing"
            yield Relation(key, 2.15, {"part": f"sqrt({n})"})
            return
        for m in names:
            if n != m and is_(lambda s, n=n, m=m: s[n] / s[m]):
                yield Relation("wrong_length", 0.6, {"written": m, "right": n})
                return
    yield Relation(
        "constant_factor" if max(ratios) - min(ratios) < 1e-7 * abs(ratios[0]) else "varying_factor",
        4.0,
        {"ratio": f"{ratios[0]:.6g}"},
    )


def _decay(pairs: Sequence[Compared]) -> Iterator[Relation]:
    """A claim that has a multiple of the variable itself on top: weight decay."""
    import numpy as np

    ratios = []
    for p in pairs:
        if p.claim.shape != p.right.shape or p.variable.shape != p.right.shape or not np.all(np.isfinite(p.claim)):
            return
        extra = p.claim - p.right
        at = int(np.argmax(np.abs(p.variable)))
        ratio = float(extra.reshape(-1)[at] / p.variable.reshape(-1)[at])
        if abs(ratio) < 1e-9 or not p.same(extra, ratio * p.variable):
            return
        ratios.append(ratio)
    if max(ratios) - min(ratios) < 1e-7 * abs(ratios[0]):
        yield Relation("decay", 1.2, {"ratio": f"{ratios[0]:.6g}"})
