"""What the project holds itself to, and whether a run of the benchmarks shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.benchmarks.measuring import Row, figure

_FRAMEWORKS = ("PyTorch eager", "jax.jit", "tensorgrad")
_STEPS = (*_FRAMEWORKS, "torch.compile", "tensorgrad compiled")
_EAGER = ("PyTorch eager",)
_JAX = ("jax.jit hessian",)


@dataclass(frozen=True)
class Floor:
    """In a suite and a case, how many times faster ``ours`` is to be than the fastest of ``peers``.

    Without peers, ``at_least`` is the most that the measured figure may be, in its ``unit``.
    """

    suite: str
    case: str
    ours: str
    peers: tuple[str, ...]
    at_least: float
    unit: str = "s"

    def measured(self, rows: Sequence[Row]) -> float | None:
        """What was measured; None where something is not installed, or was not run."""
        for row in rows:
            if row.suite == self.suite and row.case == self.case and row.seconds.get(self.ours):
                there = [peer for peer in self.peers if row.seconds.get(peer)]
                if not self.peers:
                    return row.median(self.ours)
                return min((row.ratio(self.ours, peer) for peer in there), default=None)
        return None

    def met(self, measured: float) -> bool:
        """Whether a measured figure is enough."""
        return measured >= self.at_least if self.peers else measured <= self.at_least


def _linear() -> list[Floor]:
    found = [
        Floor("linear", case, "pullback", _EAGER, least)
        for case, least in (("1, 3, 2", 10.0), ("1, 64, 64", 4.5), ("32, 128, 128", 1.9))
    ]
    large = ("128, 512, 512", "512, 1024, 1024", "2048, 2048, 2048")
    found += [Floor("linear", case, "pullback", _EAGER, 0.87) for case in large]
    found += [Floor("linear", "128, 512, 512", "pullback auto", _EAGER, 1.15)]
    found += [
        Floor("linear", case, "pullback auto", _FRAMEWORKS, 1.05 if case == large[0] else 1.0)
        for case in ("1, 3, 2", "1, 64, 64", "32, 128, 128", *large)
    ]
    return [*found, Floor("linear", large[2], "pullback auto", ("three GEMMs alone",), 0.9)]


def _networks() -> list[Floor]:
    small, wide = "64-64-10, 32", "784-512-512-10"
    return [
        Floor("mlp", small, "pullback", _EAGER, 4.5),
        Floor("mlp", small, "pullback", ("jax.jit",), 2.3),
        Floor("mlp", f"{wide}, 128", "pullback auto", _STEPS, 1.15),
        Floor("mlp", f"{wide}, 1024", "pullback auto", _STEPS, 1.05),
        Floor("mlp", f"{wide}, 128", "pullback", _EAGER, 0.9),
        Floor("mlp", f"{wide}, 1024", "pullback", _EAGER, 0.9),
    ]


def _hessians() -> list[Floor]:
    found = []
    for n in (10, 50, 200, 500):
        for peers, least in ((_JAX, 2.5), (("torch.func.hessian",), 15.0), (("tensorgrad",), 1.1)):
            found.append(Floor("hessian", f"logistic regression, n = {n}", "pullback auto", peers, least))
    for k in (5, 10):
        found.append(Floor("hessian", f"||T - U V'||^2 by U, k = {k}", "pullback compressed", _JAX, 1e4))
        found.append(Floor("hessian", f"||T - U V'||^2 by U, k = {k}", "pullback", _JAX, 150.0))
    found.append(Floor("hessian", "10-layer network, width 5, batch 1", "pullback auto", _JAX, 1.0))
    for n, least in ((10, 0.0), (20, 20.0), (40, 30.0)):
        case = f"10-layer network, width {n}, batch 32"
        found.append(Floor("hessian", case, "pullback", _JAX, 5.0))
        if least:
            found.append(Floor("hessian", case, "pullback compressed", _JAX, least))
    return found


FLOORS: tuple[Floor, ...] = (
    *_linear(),
    *_networks(),
    *_hessians(),
    Floor("derive", "x'Ax", "pullback", (), 1e-3),
    Floor("derive", "2-layer MLP", "pullback", (), 5e-3),
    Floor("cold", "MLP 64-64-10, import to first gradients", "pullback", ("torch.compile",), 10.0),
    Floor("cold", "MLP 64-64-10, import to first gradients", "pullback", ("jax.jit",), 2.0),
    Floor("memory", "linear layer 1024, 784, 512", "pullback", _EAGER, 1.0),
    Floor("memory", "MLP 784-512-10, batch 1024", "pullback", _EAGER, 1.0),
    Floor("memory", "allocated by a call, reuse=True", "pullback", (), 4096.0, "B"),
    Floor("memory", "seconds of a call beyond 1 µs a kernel", "pullback", (), 3e-6),
)


def floors_table(rows: Sequence[Row]) -> str:
    """A Markdown table of the floors of the suites that were run: what is asked, what was measured, met or not."""
    suites = {row.suite for row in rows}
    lines = []
    for floor in FLOORS:
        if floor.suite not in suites:
            continue
        measured = floor.measured(rows)
        if floor.peers:
            asked = f"≥ {floor.at_least:,.4g}x {' / '.join(floor.peers)}"
            shown = "–" if measured is None else f"{measured:,.3g}x"
        else:
            asked = f"≤ {figure(floor.at_least, floor.unit)}"
            shown = "–" if measured is None else figure(measured, floor.unit)
        verdict = "not measured" if measured is None else "met" if floor.met(measured) else "**not met**"
        lines.append(f"| {floor.suite}: {floor.case} | {floor.ours} | {asked} | {shown} | {verdict} |")
    if not lines:
        return ""
    return "\n".join(["| work | | floor | measured | |", "|---|---|---|---|---|", *lines, ""])
