"""Load the page's server: many visitors at once for a while, hostile ones among them; every answer is looked at.

    python tools/load.py                      200 visitors for a minute, against a server of its own
    python tools/load.py --visitors 20 --seconds 10

A visitor asks, waits for the answer and asks again. A right program must get the closed form that it gets when it
is asked alone; a hostile one a refusal that says why, or its right answer. What is printed: how many answers of
each kind, how long they took, and the most memory that the server and its workers had together. The exit code is
1 where an answer was wrong, or the server did not live.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx

from pullback.web.answer import answer
from pullback.web.gallery import GALLERY

LAYERS = 30
_DEEP = "\n".join(
    ["h_0 = x", *(f"h_{k} = tanh(W_{k} h_{k - 1})" for k in range(1, LAYERS + 1)), f"L = sum(h_{LAYERS})"]
)
_WIDE = "y = " + " ".join(f"A_{k}" for k in range(59)) + " x"
_ROW = " ".join(["1"] * 5_000)

RIGHT = [
    *(one.program for one in GALLERY),
    *(f"y = relu(W x + b) / {k}" for k in range(2, 10)),
    *(f"L = norm(A x - b)^{k}" for k in (2, 4, 6)),
    "L = logdet(A) + x' inv(A) x",
    "y = softmax(W x)",
    "L = mse(tanh(W x + b), t)",
]
HOSTILE: dict[str, Any] = {
    "10,000 parentheses": lambda n: {"program": "(" * 10_000 + "x" + ")" * 10_000},
    "60-index product": lambda n: {"program": f"{_WIDE} # {n}"},
    "Hessian of 30 layers": lambda n: {"program": f"{_DEEP} # {n}", "want": "hessian", "wrt": "x"},
    "5,000 x 5,000 values": lambda n: f'{{"program": "y = W x", "values": {{"W": "{"; ".join([_ROW] * 5_000)}"}}}}',
    "Kronecker power": lambda n: {"program": "y = " + "kron(" * 10 + "A" + ", A)" * 10 + f" # {n}"},
}
KIND = "right"
SHARE = 0.04
"""Of questions that are hostile; each is asked with a comment of its own, so that none is answered from memory."""


class Seen:
    """What came back."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.most = 0


async def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    expected = {text: _closed(answer({"program": text})) for text in RIGHT}
    command = [sys.executable, "-m", "pullback", "serve", "--port", "0", "--workers", str(options.workers)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    found = re.search(r"http://localhost:\d+/", server.stderr.readline())
    assert found, "the server did not start"
    seen = Seen()
    try:
        async with httpx.AsyncClient(
            base_url=found[0], timeout=120, limits=httpx.Limits(max_connections=None)
        ) as client:
            watch = asyncio.create_task(_watch(server.pid, seen))
            until = time.monotonic() + options.seconds
            await asyncio.gather(*(_visit(client, k, until, expected, seen) for k in range(options.visitors)))
            watch.cancel()
            last = (await client.post("/api/derive", json={"program": RIGHT[0]})).json()
        lives = server.poll() is None and _closed(last) == expected[RIGHT[0]]
    finally:
        server.terminate()
        server.wait()
    _report(options, seen, lives)
    return 0 if lives and not seen.wrong else 1


def _closed(found: Any) -> str:
    return str(found["layouts"]["denominator"]["plain"]) if found.get("ok") else f"error: {found['error']}"


async def _visit(client: httpx.AsyncClient, number: int, until: float, expected: dict[str, str], seen: Seen) -> None:
    """One visitor: a question, its answer, the next question."""
    draw = random.Random(number)
    turn = 0
    while time.monotonic() < until:
        turn += 1
        hostile = draw.random() < SHARE
        kind = draw.choice(list(HOSTILE)) if hostile else KIND
        text = draw.choice(RIGHT)
        spice = f"{number}.{turn}"
        body = HOSTILE[kind](spice) if hostile else {"program": f"{text} # {spice}"}
        data = body if isinstance(body, str) else json.dumps(body)
        start = time.monotonic()
        try:
            response = await client.post("/api/derive", content=data, headers={"content-type": "application/json"})
        except httpx.TransportError as error:
            # A body that is too long is refused before it is read to its end.
            refused = kind == "5,000 x 5,000 values"
            seen.kinds[f"{kind}: {'refused' if refused else type(error).__name__}"] += 1
            if not refused:
                seen.wrong.append(f"{kind}: {error!r}")
            continue
        seen.times[kind].append(time.monotonic() - start)
        _judge(kind, text, response, expected, seen)
        if response.status_code == 503:
            await asyncio.sleep(draw.uniform(0.5, 2))


def _judge(kind: str, text: str, response: httpx.Response, expected: dict[str, str], seen: Seen) -> None:
    found = response.json()
    reason = "right" if found.get("ok") else found["error"].get("reason") or found["error"]["type"]
    seen.kinds[f"{kind}: {response.status_code} {reason}"] += 1
    if kind == KIND and reason == "right" and _closed(found) != expected[text]:
        seen.wrong.append(f"{text}: {_closed(found)}")
    elif kind == KIND and reason not in ("right", "busy"):
        seen.wrong.append(f"{text}: {found['error']}")


async def _watch(pid: int, seen: Seen) -> None:
    """Note the most memory that the server and its workers take together."""
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        seen.most = max(seen.most, sum(_resident(one) for one in [str(pid), *children]))
        await asyncio.sleep(0.1)


def _resident(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def _report(options: argparse.Namespace, seen: Seen, lives: bool) -> None:
    total = sum(len(times) for times in seen.times.values())
    print(f"{options.visitors} visitors, {options.seconds:.0f} s, {options.workers} workers: {total} answers")
    for kind, count in sorted(seen.kinds.items()):
        print(f"  {count:6}  {kind}")
    for kind, times in sorted(seen.times.items()):
        ranked = sorted(times)
        middle, late = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
        print(f"  {kind}: median {middle:.2f} s, 99% within {late:.2f} s, longest {ranked[-1]:.2f} s")
    print(f"most memory, server and workers together: {seen.most / 2**20:.0f} MiB")
    print(f"wrong answers: {len(seen.wrong)}; the server {'lives' if lives else 'is gone'}")
    for text in seen.wrong[:10]:
        print(f"  {text[:300]}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
