"""A layered layout: everything right of what it uses, neighbours kept close.

Small graphs are all that is drawn, so the plain method does: layers by the longest path, each layer ordered
by the mean place of its neighbours, forward and back a few times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SWEEPS = 6


def layers(order: Sequence[str], uses: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Put names into layers; ``order`` has each after all that it uses.

    >>> layers(["W", "x", "y", "L"], {"y": ["W", "x"], "L": ["y"]})
    [['W', 'x'], ['y'], ['L']]
    """
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[used] for used in uses.get(name, ())), default=-1)
    users: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for used in uses.get(name, ()):
            users[used].append(name)
    for name in reversed(order):
        if not uses.get(name) and users[name]:
            depth[name] = min(depth[user] for user in users[name]) - 1
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in order:
        columns[depth[name]].append(name)
    near = {name: [*uses.get(name, ()), *users[name]] for name in order}
    for sweep in range(_SWEEPS):
        places = {name: (k + 1) / (len(column) + 1) for column in columns for k, name in enumerate(column)}
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            means = {n: sum(places[m] for m in near[n]) / len(near[n]) if near[n] else places[n] for n in column}
            column.sort(key=lambda name: means[name])
            places.update({name: (k + 1) / (len(column) + 1) for k, name in enumerate(column)})
    return columns
