"""What only a process of its own can show: pipes, signals, streams, what --help loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pullback.cli import main
from pullback.cli.arguments import HANDLERS

from .running import Process, environment


def test_standard_input_and_pipes(process: Process) -> None:
    done = process("gradient", "-", "--wrt", "x", stdin=b"x' A x\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


def test_help_and_version(process: Process) -> None:
    shown = process("--help")
    assert shown.returncode == 0 and b"gradient" in shown.stdout and shown.stderr == b""
    for command in ("derive", "gradient", "jacobian", "hessian", "backward", "tour"):
        assert process(command, "--help").returncode == 0
    assert process("--version").stdout.startswith(b"pullback")


def test_nothing_heavy_is_loaded_for_help() -> None:
    script = (
        "import sys\n"
        "from pullback.cli import main\n"
        "assert main(['--help']) == 0\n"
        "heavy = {'numpy', 'rich', 'torch', 'jax', 'matplotlib', 'sklearn', 'starlette'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "engine = [name for name in sys.modules if name.startswith(('pullback.tensor', 'pullback.lowering'))]\n"
        "assert not engine, engine\n"
    )
    done = _python(script)
    assert done.returncode == 0, done.stderr


def test_a_gradient_without_values_loads_no_numpy() -> None:
    script = (
        "import sys\n"
        "from pullback.cli import main\n"
        "assert main(['gradient', \"x' A x\", '--wrt', 'x']) == 0\n"
        "assert 'numpy' not in sys.modules\n"
    )
    done = _python(script)
    assert done.returncode == 0, done.stderr


def test_colour_only_where_it_is_wanted(process: Process) -> None:
    plain = process("gradient", "sum((x)")
    assert b"\033" not in plain.stderr
    forced = _python("from pullback.cli import main; main(['gradient', 'sum((x)'])", FORCE_COLOR="1")
    assert b"\033[31merror:\033[0m" in forced.stderr
    both = _python("from pullback.cli import main; main(['gradient', 'sum((x)'])", FORCE_COLOR="1", NO_COLOR="1")
    assert b"\033" not in both.stderr


def test_a_terminal_without_unicode() -> None:
    done = _python(
        "from pullback.cli import main; main(['gradient', \"x' A x\", '--wrt', 'x', '--format', 'unicode'])",
        PYTHONIOENCODING="ascii",
    )
    assert done.stderr == b"" and done.stdout.isascii() and done.stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals as POSIX has them")
def test_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m pullback --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment())
    assert done.stderr == b""
    read, write = os.pipe()
    os.close(read)
    arguments = [sys.executable, "-m", "pullback", "gradient", "x' x", "--wrt", "x"]
    closed = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, env=environment())
    os.close(write)
    assert (closed.returncode, closed.stderr) == (141, b"")


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals as POSIX has them")
def test_an_interrupt_is_quiet() -> None:
    script = (
        "import sys\n"
        "from pullback.cli import main\n"
        "print('ready', flush=True)\n"
        "sys.exit(main(['gradient', '-', '--wrt', 'x']))\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, b"", b"")


def test_an_internal_error_is_one_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(HANDLERS, "gradient", "pullback.cli.none:run")
    monkeypatch.delenv("PULLBACK_DEBUG", raising=False)
    assert main(["gradient", "x' x"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "internal error" in captured.err and "PULLBACK_DEBUG" in captured.err
    monkeypatch.setenv("PULLBACK_DEBUG", "1")
    with pytest.raises(ModuleNotFoundError):
        main(["gradient", "x' x"])


def _python(script: str, **extra: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(**extra), timeout=120)
