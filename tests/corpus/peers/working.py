"""A process that judges cases, and one that watches it: what takes too long is ended."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import warnings
from multiprocessing.connection import Connection
from typing import Any

from tests.corpus import loading
from tests.corpus.peers.judging import SYSTEMS, Verdict, judge, prepare

LIMIT = 20.0
"""Seconds for one case in one system."""

STARTING = 120.0


def _serve(pipe: Connection) -> None:
    """Judge what is asked until nothing more is; every library has been used once before the first."""
    warnings.simplefilter("ignore")
    cases = {case.id: case for case in loading.cases()}
    for warm in list(cases)[:3]:
        prepare(cases[warm])
        for system in SYSTEMS:
            judge(cases[warm], system)
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        identifier, system = asked
        prepare(cases[identifier])
        pipe.send("begun")
        try:
            pipe.send(dataclasses.asdict(judge(cases[identifier], system)))
        except AssertionError as fault:
            pipe.send(str(fault))


class Worker:
    """A judging process, started again after it was ended."""

    def __init__(self) -> None:
        self.context = multiprocessing.get_context("spawn")
        self.process: Any = None
        self.pipe: Connection | None = None

    def start(self) -> Connection:
        if self.pipe is None:
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            self.pipe, other = self.context.Pipe()
            self.process = self.context.Process(target=_serve, args=(other,), daemon=True)
            self.process.start()
            other.close()
            self.expect(STARTING)
        return self.pipe

    def expect(self, seconds: float) -> Any:
        assert self.pipe is not None
        if not self.pipe.poll(seconds):
            raise TimeoutError
        return self.pipe.recv()

    def judge(self, identifier: str, system: str) -> Verdict:
        self.start().send((identifier, system))
        try:
            self.expect(STARTING)
            found = self.expect(LIMIT)
        except TimeoutError:
            self.stop()
            return Verdict("timeout", f"more than {LIMIT:.0f} s", seconds=LIMIT)
        except EOFError:
            self.stop()
            return Verdict("refused", "the process died")
        if isinstance(found, str):
            raise AssertionError(found)
        return Verdict(**found)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
        self.process = self.pipe = None
