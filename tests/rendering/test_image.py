"""A single formula as SVG and PNG."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import pullback as pb
from pullback.errors import PullbackError
from tests.rendering.corpus import FILES, cases, results

GRADIENT = pb.gradient("norm(A x - b)^2", wrt="x")


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height, out of the header."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_svg_is_a_picture_of_its_own() -> None:
    root = ElementTree.fromstring(GRADIENT.svg())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [e for e in root.iter() if e.tag.endswith(("}text", "}image", "}script", "}style"))]
    assert "currentColor" in GRADIENT.svg() and "tomato" in GRADIENT.svg(color="tomato")


def test_larger_letters_make_a_larger_picture() -> None:
    small, large = (float(ElementTree.fromstring(GRADIENT.svg(size=s)).attrib["width"]) for s in (12, 48))
    assert large == pytest.approx(4 * small, rel=0.05)
    one, three = (png_size(GRADIENT.png(scale=s)) for s in (1, 3))
    assert three[0] == pytest.approx(3 * one[0], abs=3) and three[1] == pytest.approx(3 * one[1], abs=3)


@pytest.mark.parametrize("file", FILES)
def test_what_the_corpus_asks_for_can_be_drawn(file: str) -> None:
    for case in cases(file)[::6]:
        for expression in results(case):
            assert ElementTree.fromstring(expression.svg()).attrib["width"] != "0", case.id


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(PullbackError, match="a size of 0 px is out of range"):
        GRADIENT.svg(size=0)
    with pytest.raises(PullbackError, match="a scale of 100 is out of range"):
        GRADIENT.png(scale=100)


@pytest.mark.parametrize(("library", "call"), [("ziamath", "svg"), ("resvg_py", "png")])
def test_without_the_library_it_says_what_to_install(library: str, call: str) -> None:
    script = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "import pullback as pb\n"
        f"try: pb.gradient(\"x' A x\", wrt='x').{call}()\n"
        "except pb.PullbackError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"needs {library}" in done.stdout and 'pip install "pullback[svg]"' in done.stdout


def test_on_the_command_line(tmp_path: Path) -> None:
    from pullback.cli import main

    for kind, begin in (("svg", b"<svg "), ("png", b"\x89PNG")):
        file = tmp_path / f"f.{kind}"
        assert main(["gradient", "x' A x", "--wrt", "x", "--format", kind, "--output", str(file)]) == 0
        assert file.read_bytes().startswith(begin)


def test_a_picture_of_several_or_of_a_derivation_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from pullback.cli import main

    assert main(["backward", "y = W x", "--format", "svg"]) == 2
    assert (
        "a picture is of a single formula, and these are 2: W, x\nhint: name one with --wrt W"
        in capsys.readouterr().err
    )
    assert main(["derive", "y = W x", "--format", "png"]) == 2
    assert "png is a picture of a single formula, not of a derivation" in capsys.readouterr().err
