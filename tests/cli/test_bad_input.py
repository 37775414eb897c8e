"""Bad input, through the command line: said with its place and what would mend it, and nothing else happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .running import Process, Run

# Arguments, and what must be in the message: the thing, its place, what would mend it.
TABLE = {
    "unknown name of a function": (
        ["gradient", "sgmoid(x)' x", "--wrt", "x"],
        ["sgmoid", "line 1, column 1", "sigmoid"],
    ),
    "mismatched shapes": (
        ["backward", "y = W x + W' x", "--shape", "W=2,3"],
        ["line 1, column", "^"],
    ),
    "product of two columns": (["backward", "x y"], ["line 1, column", "'"]),
    "bracket left open": (["gradient", "sum((x)", "--wrt", "x"], ["line 1, column", "^", ")"]),
    "bracket never opened": (["gradient", "sum(x))", "--wrt", "x"], ["line 1, column 7"]),
    "empty program": (["gradient", "", "--wrt", "x"], ["hint: "]),
    "nothing but a comment": (["gradient", "# nothing", "--wrt", "x"], ["hint: "]),
    "used before it is bound": (["gradient", "y = h; h = W x; sum(y)", "--wrt", "x"], ["h", "line 1, column"]),
    "bound twice": (["gradient", "h = x; h = 2 x; sum(h)", "--wrt", "x"], ["h", "line 1, column 8"]),
    "gradient of a vector": (["gradient", "W x", "--wrt", "x", "--shape", "W=2,3"], ["backward", "jacobian", "line 1"]),
    "wrt is no input": (["gradient", "x' A x", "--wrt", "z"], ["z", "x"]),
    "sizes that disagree with values": (
        ["derive", "y = W x", "--value", "W=1 2; 3 4", "--value", "x=1 2 3", "--upstream", "1 1"],
        ["W", "x", "2", "3"],
    ),
    "value for no input": (["gradient", "x' x", "--wrt", "x", "--value", "z=1"], ["z", "hint: ", "x"]),
    "value without a name": (["gradient", "x' x", "--value", "1 2"], ["--value", "hint: "]),
    "value given twice": (["gradient", "x' x", "--value", "x=1", "--value", "x=2"], ["twice", "x"]),
    "value that is no number": (["gradient", "x' x", "--value", "x=1 a"], ["'a'", "line 1, column 3", "^", "hint: "]),
    "ragged rows": (["gradient", "tr(A)", "--value", "A=1 2; 3"], ["line 1, column 6", "^", "hint: "]),
    "no numbers": (["gradient", "x' x", "--value", "x="], ["--value x", "hint: "]),
    "missing file": (["gradient", "x' x", "--value", "x=none.npy"], ["none.npy", "hint: "]),
    "missing program": (["gradient", "@none.pb", "--wrt", "x"], ["none.pb", "hint: "]),
    "folder as program": (["gradient", "@.", "--wrt", "x"], ["folder", "hint: "]),
    "folder as value": (["gradient", "x' x", "--value", "x=folder.npy"], ["folder", "hint: "]),
    "text as .npy": (["gradient", "x' x", "--value", "x=text.npy"], ["not a .npy file", "hint: "]),
    "pickle": (["gradient", "x' x", "--value", "x=pickle.npy"], ["pickle", "hint: "]),
    "cut .npy": (["gradient", "x' x", "--value", "x=cut.npy"], ["cut short"]),
    "complex .npy": (["gradient", "x' x", "--value", "x=complex.npy"], ["complex128", "hint: "]),
    "ragged .csv": (["gradient", "tr(A)", "--value", "A=ragged.csv"], ["line 2", "hint: "]),
    "words in .csv": (["gradient", "tr(A)", "--value", "A=words.csv"], ["line 1, column 1", "hint: "]),
    "binary .csv": (["gradient", "tr(A)", "--value", "A=binary.csv"], ["not text", "offset 0", "hint: "]),
    "broken .json": (["gradient", "tr(A)", "--value", "A=broken.json"], ["not JSON", "line 1, column"]),
    "null in .json": (["gradient", "tr(A)", "--value", "A=null.json"], ["[1, 0]", "null", "hint: "]),
    "deep .json": (["gradient", "tr(A)", "--value", "A=deep.json"], ["deep"]),
    "bad shape": (["gradient", "tr(A)", "--shape", "A=2,x!"], ["x!", "^", "hint: "]),
    "shape of zero": (["gradient", "tr(A)", "--shape", "A=0,0"], ["'0'", "hint: "]),
    "unknown property": (["gradient", "tr(A)", "--assume", "A=symetric"], ["symetric", "symmetric"]),
    "unknown command": (["gradeint", "x' x"], ["gradeint", "did you mean gradient"]),
    "unknown option": (["gradient", "x' x", "--wtr", "x"], ["--wtr", "did you mean --wrt"]),
    "unknown format": (["gradient", "x' x", "--format", "latx"], ["latx", "latex"]),
    "no program": (["gradient"], ["PROGRAM"]),
    "no command": ([], ["COMMAND"]),
    "one argument too many": (["gradient", "x'", "x", "--wrt", "x"], ["too many", "quotation marks"]),
    "10,000 nested parentheses": (["gradient", "(" * 10_000 + "x" + ")" * 10_000, "--wrt", "x"], ["hint: "]),
    "output folder missing": (["gradient", "x' x", "--wrt", "x", "--output", "none/out.txt"], ["none"]),
    "output is a folder": (["gradient", "x' x", "--wrt", "x", "--output", "."], ["folder", "hint: "]),
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "text.npy").write_text("hello")
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "complex.npy", np.array([1j]))
    np.save(tmp_path / "whole.npy", np.arange(6.0))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-3])
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    (tmp_path / "words.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "broken.json").write_text("[1, 2")
    (tmp_path / "null.json").write_text("[[1, 2], [null, 3]]")
    (tmp_path / "deep.json").write_text("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize("case", TABLE)
def test_bad_input_is_said_and_nothing_is_written(case: str, run: Run, tmp_path: Path) -> None:
    arguments, said = TABLE[case]
    before = sorted(tmp_path.rglob("*"))
    outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    message = outcome.err
    assert message.startswith("error: ")
    assert "Traceback" not in message and "internal error" not in message
    assert [part for part in said if part not in message] == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", b"not text: byte 0x89 at line 1, column 1"),
        (b"y = W x\n\xff", b"line 2, column 1"),
        (b"y = \x00", b"0x00"),
        (b"x + " * 2_500_000 + b"x", b"longer than"),
        (b"x + " * 200_000 + b"x", b"error: "),
        (b"", b"hint: "),
        (bytes(range(256)) * 100, b"not text"),
    ],
    ids=["picture", "byte in line 2", "zero byte", "10 MB", "800 kB", "nothing", "every byte"],
)
def test_rubbish_from_standard_input(program: bytes, said: bytes, process: Process) -> None:
    done = process("backward", "-", stdin=program)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr and b"Traceback" not in done.stderr
    assert len(done.stderr) < 2000


def test_rubbish_as_an_argument(process: Process) -> None:
    done = process("gradient", b"x' \xff\xfe x", "--wrt", "x")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"not text" in done.stderr and b"Traceback" not in done.stderr


def test_an_error_leaves_the_old_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("old")
    run("gradient", "sum((x)", "--wrt", "x", "--output", "out.txt")
    assert (tmp_path / "out.txt").read_text() == "old"
