"""A worker process: questions in on standard input, answers out on standard output, within hard limits.

Each message is four bytes of length and as many of JSON. The process can open no files for writing and has
a bound on its memory; its time is kept by the pool, which ends it.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import Any, BinaryIO

HEAD = struct.Struct(">I")
MOST_ANSWER = 8 * 1024 * 1024
RECURSION = 4_000


def main() -> int:
    """Answer until there are no more questions."""
    memory = int(sys.argv[1])
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # What a library may print goes nowhere, so that it can't be taken for an answer.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    _warm()
    _limit(memory)
    _send(answers, {"ready": True})
    while True:
        try:
            question = _receive(questions)
        except EOFError:
            return 0
        reply, spent = _answered(question)
        _send(answers, reply)
        if spent:
            return 0


def _warm() -> None:
    """Load everything and answer once, so that the first visitor does not wait."""
    from pullback.web.answer import answer
    from pullback.web.gallery import GALLERY

    sys.setrecursionlimit(RECURSION)
    answer(GALLERY[0].question())


def _limit(memory: int) -> None:
    """Bound what this process may take for good."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(question: Any) -> tuple[dict[str, Any], bool]:
    """Answer, and say whether this process had better end."""
    from pullback.web.answer import answer, refusal

    try:
        made = answer(question)
    except MemoryError:
        return refusal("memory"), True
    except Exception as error:
        if os.environ.get("PULLBACK_DEBUG"):
            import traceback

            traceback.print_exc()
        return refusal("fault", detail=type(error).__name__), False
    reason = made.get("error", {}).get("reason")
    return made, reason in ("memory", "deep")


def _receive(stream: BinaryIO) -> Any:
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    return json.loads(stream.read(HEAD.unpack(head)[0]))


def _send(stream: BinaryIO, document: dict[str, Any]) -> None:
    try:
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    except MemoryError:
        data = b'{"ok":false,"error":{"type":"Limit","reason":"memory"}}'
    if len(data) > MOST_ANSWER:
        data = b'{"ok":false,"error":{"type":"Limit","reason":"large"}}'
    stream.write(HEAD.pack(len(data)))
    stream.write(data)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
