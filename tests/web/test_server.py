"""The server takes nothing on trust: real requests over HTTP to a real process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.serving import LECTURE, Served, serving

pytestmark = pytest.mark.xdist_group("server")

LAYERS = 30
DEEP = "\n".join(["h_0 = x", *(f"h_{k} = tanh(W_{k} h_{k - 1})" for k in range(1, LAYERS + 1)), f"L = sum(h_{LAYERS})"])
WIDE = "y = " + " ".join(f"A_{k}" for k in range(59)) + " x"
HOSTILE: dict[str, dict[str, Any]] = {
    "10,000 parentheses": {"program": "(" * 10_000 + "x" + ")" * 10_000},
    "parentheses that fit": {"program": "(" * 1_500 + "x" + ")" * 1_500},
    "a ladder of minus signs": {"program": "y = " + "-" * 3_000 + "x"},
    "a ladder of transposes": {"program": "y = x" + "'" * 3_000},
    "a tower of powers": {"program": "y = 9^9^9^9^9 x"},
    "a huge number": {"program": "y = 1e999999999 x"},
    "a huge power": {"program": "y = x ./ x .^ 99999999999"},
    "a Kronecker power": {"program": "y = " + "kron(" * 10 + "A" + ", A)" * 10},
    "huge declared axes": {"program": "A : (100000, 100000)\ny = A x"},
    "a huge array of ones": {"program": "y = ones(100000, 100000) x"},
    "5,000 x 5,000 values": {"program": "y = W x", "values": {"W": "; ".join(["1 " * 50] * 100)}},
    "a control character": {"program": "y = W x\0"},
    "an unpaired surrogate": {"program": "y = \ud800 x"},
    "right-to-left letters": {"program": "y = \u202eW x"},
}
PATIENT = {
    "10 s of work": {"program": WIDE},
    "a Hessian of 30 layers": {"program": DEEP, "want": "hessian", "wrt": "x"},
}


# Who may ask


def test_the_answer_is_the_lecture(served: Served) -> None:
    answer = served.ask(**LECTURE)
    assert answer["ok"] is True
    assert answer["layouts"]["denominator"]["plain"] == "dL/dW = g x'\ndL/dx = W' g"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"host": "127.0.0.1.nip.io"}, 421),
        ({"host": ""}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_other_hosts_and_other_sites_may_not_ask(served: Served, headers: dict[str, str], status: int) -> None:
    response = served.client.post(
        "/api/derive", content=json.dumps(LECTURE), headers={"content-type": "application/json", **headers}
    )
    assert response.status_code == status
    assert "layouts" not in response.text


def test_the_page_itself_may_ask(served: Served) -> None:
    own = {"origin": served.url.rstrip("/"), "sec-fetch-site": "same-origin"}
    assert served.post(LECTURE, headers=own).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    assert served.client.request(method, "/api/derive").status_code == 405
    assert "access-control-allow-origin" not in served.client.request(method, "/").headers


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    name = socket.gethostbyname(socket.gethostname())
    if not name.startswith("127."):
        with pytest.raises(OSError), socket.create_connection((name, served.port), timeout=5):
            pass


# What is served


@pytest.mark.parametrize("path", ["/", "/static/none.js", "/api/derive"])
def test_every_response_has_the_policy(served: Served, path: str) -> None:
    headers = served.client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) <= {"'none'", "'self'"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_has_no_script_or_style_inside_and_nothing_from_elsewhere(served: Served) -> None:
    text = served.client.get("/").text
    scripts = re.findall(r"<script\b([^>]*)>", text)
    assert [s for s in scripts if "src=" not in s] == [' type="application/json" id="data"']
    assert not re.findall(r'<style|\sstyle="|\son\w+="|javascript:', text)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static//etc/passwd",
        "/server.py", "/static/app.js", "/static/", "/etc/passwd",
    ],
)  # fmt: skip
def test_no_other_file_can_be_read(served: Served, path: str) -> None:
    with socket.create_connection(("localhost", served.port), timeout=30) as plain:
        plain.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        said = plain.makefile("rb").read().decode()
    assert " 404 " in said.split("\r\n")[0]
    assert "import" not in said and "root:" not in said


def test_the_page_weighs_less_than_300_kb(served: Served) -> None:
    html = served.client.get("/").text
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    seen: dict[str, int] = {}
    while paths:
        path = paths.pop()
        if path not in seen:
            response = served.client.get(path)
            assert response.status_code == 200
            seen[path] = len(response.content)
            paths += [f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', response.text)]
    answer = len(served.post(LECTURE).content)
    assert len(seen) >= 10
    assert len(html.encode()) + sum(seen.values()) + answer < 300_000


# What may be asked


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_answered_or_refused_and_the_server_lives(served: Served, name: str) -> None:
    response = served.client.post(
        "/api/derive", content=json.dumps(HOSTILE[name]), headers={"content-type": "application/json"}
    )
    assert response.status_code == 200
    answer = response.json()
    assert answer["ok"] or answer["error"].get("message") or answer["error"]["reason"] in ("memory", "time", "deep")
    assert "Traceback" not in response.text
    assert served.lives()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[" * 100_000, 400), (b"\xff\xfe", 400), (b"[]", 200), (b"1", 200), (b"null", 200),
        (b'{"program": 1}', 200), (b'{"program": "y = x", "exec": "1"}', 200), (b'{"lang": "xx"}', 200),
        (b'{"program": "y = x", "values": []}', 200), (b'{"program": "y = x", "values": {"x": 1}}', 200),
        (b'{"program": "y = x", "values": {"__class__ ": "1"}}', 200), (b'{"ask": "eval"}', 200),
        (b'{"ask": "practice", "do": "judge", "exercise": "9999"}', 200), (b'{"ask": "practice", "step": 1e99}', 200),
        (b'{"ask": "practice", "do": "ask", "exercise": "generated:99999999999999999999"}', 200),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused_by_name(served: Served, body: bytes, status: int) -> None:
    response = served.client.post("/api/derive", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    answer = response.json()
    assert answer["ok"] is False
    assert answer["error"].get("message") or answer["error"]["reason"] == "json"


def test_a_body_that_is_too_long_is_not_read(served: Served) -> None:
    assert served.post({"program": "x" * 200_000}).status_code == 413

    def chunks() -> Iterator[bytes]:
        yield b'{"program": "'
        for _ in range(100):
            yield b"x" * 10_000

    response = served.client.post("/api/derive", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert served.lives()


@pytest.mark.parametrize("path", ["/etc/passwd", "@/etc/passwd", "W.npy", "file:///etc/passwd", "../pyproject.toml"])
def test_a_value_is_never_the_name_of_a_file(served: Served, path: str) -> None:
    answer = served.ask(program="y = W x", values={"W": path, "x": "1"})
    assert answer["error"]["type"] == "ValuesError"
    assert "root:" not in json.dumps(answer)
    hint = answer["error"]["hint"] or ""
    assert ".npy" not in hint and "file" not in hint


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('touch /tmp/pwned')", "().__class__.__mro__", "eval(x)", "lambda: 0", "x if x else y"],
)
def test_code_is_not_run(served: Served, text: str) -> None:
    for document in ({"program": text}, {"program": "y = x", "values": {"x": text}}):
        answer = served.ask(**document)
        if answer["ok"]:
            assert set(answer["layouts"]) >= {"denominator"}
    assert not os.path.exists("/tmp/pwned")


# Limits


@pytest.mark.parametrize("name", PATIENT)
def test_a_question_that_takes_too_long_is_ended(name: str) -> None:
    with serving(seconds=0.5) as served:
        start = time.monotonic()
        answer = served.ask(**PATIENT[name])
        assert answer["error"] == {"type": "Limit", "reason": "time", "seconds": 0.5}
        assert time.monotonic() - start < 30
    with serving() as served:
        assert served.lives()


def test_the_worker_of_a_question_that_took_too_long_is_gone_and_another_there() -> None:
    with serving(seconds=5.0) as served:
        (before,) = served.workers()
        assert served.ask(program=WIDE)["error"]["reason"] == "time"
        assert served.lives()
        (after,) = served.workers()
        assert after != before


def test_a_worker_that_dies_is_replaced() -> None:
    with serving(seconds=60.0) as served:
        (worker,) = served.workers()
        os.kill(worker, signal.SIGKILL)
        assert served.ask(**LECTURE)["error"]["reason"] == "ended"
        assert served.lives()


def test_a_question_that_takes_too_much_memory_is_ended(served: Served) -> None:
    answer = served.ask(program="A : (200000, 200000)\nL = sum(A)", values={"A": "1"})
    assert not answer["ok"]
    assert served.lives()


def test_a_worker_can_write_no_file_and_take_no_more_memory_than_it_may(served: Served) -> None:
    for worker in served.workers():
        limits = Path(f"/proc/{worker}/limits").read_text(encoding="ascii")
        table = {line[:26].strip(): line[26:].split() for line in limits.splitlines()[1:]}
        assert table["Max file size"][:2] == ["0", "0"]
        assert table["Max core file size"][:2] == ["0", "0"]
        assert table["Max address space"][1] == str(1024**3)


_AT_ONCE = """
import asyncio, collections, httpx, json, sys
async def main(url, programs):
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        asked = [client.post('/api/derive', json={'program': text}) for text in programs]
        found = await asyncio.gather(*asked)
    kinds = [(r.status_code, r.headers.get('retry-after'), r.json().get('error', {}).get('reason')) for r in found]
    print(json.dumps(sorted(collections.Counter(kinds).items(), key=str)))
asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
"""


def at_once(served: Served, programs: list[str]) -> list[Any]:
    """Ask all of it at the same time; give how often each outcome came."""
    command = [sys.executable, "-c", _AT_ONCE, served.url, json.dumps(programs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [(*kind, count) for kind, count in json.loads(done.stdout)]


def test_equal_questions_at_once_are_answered_once() -> None:
    with serving(seconds=60.0, waiting=1) as served:
        assert at_once(served, ["y = W x + b"] * 20) == [(200, None, None, 20)]


def test_a_queue_that_is_full_says_come_back() -> None:
    with serving(seconds=1.0, waiting=1) as served:
        found = at_once(served, [f"{WIDE} # {k}" for k in range(20)])
        assert {kind[:3] for kind in found} == {(200, None, "time"), (503, "2", "busy")}
        assert sum(kind[3] for kind in found) == 20
        assert served.lives()


# The command


def test_a_port_that_is_taken_is_said_to_be(served: Served) -> None:
    command = [sys.executable, "-m", "pullback", "serve", "--port", str(served.port)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 2
    assert f"port {served.port} can't be used" in done.stderr
    assert "pullback serve --port 0" in done.stderr


@pytest.mark.parametrize("option", [("--port", "99999"), ("--workers", "0")])
def test_options_that_are_no_use_are_refused(option: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "pullback", "serve", "--port", "0", *option]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 2
    assert "hint:" in done.stderr and "Traceback" not in done.stderr


def test_interrupting_it_ends_all_of_it() -> None:
    with serving() as served:
        workers = served.workers()
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(timeout=60) in (0, 130)
        assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}/exe")]
        with pytest.raises(httpx.TransportError):
            served.client.get("/")
