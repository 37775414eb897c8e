"""A pool of worker processes; one that takes too long is ended and replaced, and the server lives."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import OrderedDict
from time import perf_counter
from typing import Any

from pullback.web.limits import Limits
from pullback.web.worker import HEAD

MOST_KEPT = 24 * 1024 * 1024
"""Bytes of answers that are kept, for the same question asked again."""
_START_SECONDS = 60.0
_LEAST_PAUSE = 0.02
"""Seconds between looks at a process that is still at work."""

Reply = tuple[bytes, str]
"""The JSON of an answer, and why it is none: a reason, or ""."""


class WorkerGoneError(Exception):
    """The process ended in the middle of a question."""


class Worker:
    """One process, and how many questions it has answered."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.answers = 0

    @staticmethod
    async def start(memory: int) -> Worker:
        """Start a process and wait until it is warm."""
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "LANG", "PULLBACK_DEBUG", "HOME")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pullback.web.worker", str(memory),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**kept, **threads, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )  # fmt: skip
        worker = Worker(process)
        await asyncio.wait_for(worker.receive(), _START_SECONDS)
        return worker

    async def ask(self, question: bytes) -> bytes:
        """Ask one question."""
        assert self.process.stdin is not None
        self.answers += 1
        try:
            self.process.stdin.write(HEAD.pack(len(question)) + question)
            await self.process.stdin.drain()
            return await self.receive()
        except (ConnectionError, asyncio.IncompleteReadError):
            raise WorkerGoneError from None

    async def ask_within(self, question: bytes, limits: Limits) -> bytes:
        """Ask one question.

        Raises:
            TimeoutError: The process has worked on it longer than it may.
        """
        asking = asyncio.create_task(self.ask(question))
        until, begun = perf_counter() + limits.longest, self.worked()
        try:
            pause = limits.seconds
            while not (await asyncio.wait({asking}, timeout=max(pause, _LEAST_PAUSE)))[0]:
                pause = min(limits.seconds - (self.worked() - begun), until - perf_counter())
                if pause <= 0:
                    raise TimeoutError
            return asking.result()
        finally:
            asking.cancel()

    def worked(self) -> float:
        """Seconds that the process has been at work; those of the clock where the system does not tell."""
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return perf_counter()

    async def receive(self) -> bytes:
        """Read one message."""
        assert self.process.stdout is not None
        (length,) = HEAD.unpack(await self.process.stdout.readexactly(HEAD.size))
        return await self.process.stdout.readexactly(length)

    def resident(self) -> int:
        """The bytes of memory that the process takes; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0

    async def end(self) -> None:
        """End the process at once."""
        if self.process.returncode is None:
            try:
                self.process.kill()
            except ProcessLookupError:
                pass
        await self.process.wait()


class Pool:
    """Takes questions, gives answers; equal questions are answered once."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.idle: asyncio.Queue[Worker] = asyncio.Queue()
        self.workers: set[Worker] = set()
        self.asked: dict[bytes, asyncio.Task[Reply]] = {}
        self.kept: OrderedDict[bytes, Reply] = OrderedDict()
        self.size = 0
        self.waiting = 0
        self.ended = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing = False

    async def start(self) -> None:
        """Start all workers."""
        await asyncio.gather(*(self._add() for _ in range(self.limits.workers)))

    async def stop(self) -> None:
        """End all of them."""
        self.closing = True
        for task in [*self.tasks, *self.asked.values()]:
            task.cancel()
        await asyncio.gather(*self.tasks, *self.asked.values(), return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self.workers))

    async def ask(self, document: Any) -> Reply:
        """Answer a question, or say which limit it met."""
        question = json.dumps(document, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
        kept = self.kept.get(question)
        if kept is not None:
            self.kept.move_to_end(question)
            return kept
        task = self.asked.get(question)
        if task is None:
            if self.waiting >= self.limits.waiting:
                return refused("busy")
            task = asyncio.create_task(self._answer(question))
            self.asked[question] = task
            task.add_done_callback(lambda _: self.asked.pop(question, None))
        return await asyncio.shield(task)

    async def _answer(self, question: bytes) -> Reply:
        self.waiting += 1
        try:
            worker = await asyncio.wait_for(self.idle.get(), self.limits.patience)
        except TimeoutError:
            return refused("busy")
        finally:
            self.waiting -= 1
        try:
            data = await worker.ask_within(question, self.limits)
        except TimeoutError:
            self._replace(worker)
            return self._keep(question, refused("time", seconds=self.limits.seconds))
        except WorkerGoneError:
            self._replace(worker)
            return refused("ended")
        except BaseException:
            self._replace(worker)
            raise
        reason = _reason(data)
        if reason in ("memory", "deep") or self._is_tired(worker):
            self._replace(worker)
        else:
            self.idle.put_nowait(worker)
        return self._keep(question, (data, reason))

    def _is_tired(self, worker: Worker) -> bool:
        return worker.answers >= self.limits.answers or worker.resident() > self.limits.grown

    def _keep(self, question: bytes, reply: Reply) -> Reply:
        self.kept[question] = reply
        self.size += len(question) + len(reply[0])
        while self.size > MOST_KEPT:
            old, (data, _) = self.kept.popitem(last=False)
            self.size -= len(old) + len(data)
        return reply

    def _replace(self, worker: Worker) -> None:
        """End a worker and start another, without making anyone wait for it."""
        self.workers.discard(worker)
        self.ended += 1
        task = asyncio.create_task(self._replaced(worker))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _replaced(self, worker: Worker) -> None:
        await worker.end()
        while not self.closing:
            try:
                await self._add()
                return
            except (TimeoutError, OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(1)

    async def _add(self) -> None:
        worker = await Worker.start(self.limits.memory)
        self.workers.add(worker)
        self.idle.put_nowait(worker)


def refused(reason: str, **more: Any) -> Reply:
    """The answer where a limit was met."""
    error = {"type": "Limit", "reason": reason, **more}
    return json.dumps({"schema": "pullback/page/1", "ok": False, "error": error}).encode(), reason


def _reason(data: bytes) -> str:
    """Why an answer is none, where that is so; only short answers are looked into."""
    if len(data) > 1_000:
        return ""
    return str(json.loads(data).get("error", {}).get("reason", ""))
