"""The page's server as a process of its own, on a port that the system chooses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

ADDRESS = re.compile(r"http://localhost:(\d+)/")
LECTURE = {"program": "y = W x", "values": {"W": "1 2 3; 4 5 6", "x": "9 10 11"}, "upstream": "7 8"}


class Served:
    """A server, and the plainest of its users."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://localhost:{port}/"
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def post(self, document: Any, **more: Any) -> httpx.Response:
        return self.client.post("/api/derive", json=document, **more)

    def ask(self, **document: Any) -> Any:
        response = self.post(document)
        assert response.status_code == 200, response.text
        return response.json()

    def lives(self) -> bool:
        """Whether it still gives the right answer to the lecture."""
        answer = self.ask(**LECTURE)
        return self.process.poll() is None and "dL/dx = W' g" in answer["layouts"]["denominator"]["plain"]

    def workers(self) -> list[int]:
        """The processes that derive."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]


_WITH_LIMITS = """
import sys, uvicorn
from pullback.web.limits import Limits
from pullback.web.serve import _listening
from pullback.web.server import make_app
taken = _listening(0)
say = lambda: print(f"http://localhost:{taken.getsockname()[1]}/", file=sys.stderr, flush=True)
uvicorn.Server(uvicorn.Config(make_app(Limits(**LIMITS), say), log_level="warning")).run(sockets=[taken])
"""


@contextmanager
def serving(**limits: Any) -> Iterator[Served]:
    """Run ``pullback serve``; with limits other than its own where some are given."""
    command = ["-m", "pullback", "serve", "--port", "0", "--workers", "2"]
    if limits:
        command = ["-c", _WITH_LIMITS.replace("LIMITS", repr({"workers": 1, **limits}))]
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = ADDRESS.search(said)
        assert found, said + process.stderr.read()
        served = Served(process, int(found[1]))
        with served.client:
            yield served
    finally:
        process.terminate()
        process.communicate(timeout=30)
