"""``pullback export-site``: pages that need no server, from a file or any static host."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pullback.web.export import export_site
from pullback.web.gallery import GALLERY
from tests.web.paging import Visitor, closed_forms, settled
from tests.web.test_access import violations

pytestmark = pytest.mark.xdist_group("practice")

KEYS = ("lecture", "linear", "softmax", "layernorm", "attention", "logistic")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "gallery"
    command = [sys.executable, "-m", "pullback", "export-site", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"wrote 7 pages to {folder}\n"
    return folder


def test_the_pages_are_there_and_nothing_else(site: Path) -> None:
    names = sorted(path.name for path in site.iterdir())
    assert names == sorted(
        ["answers", "app.js", "icon.svg", "style.css", "index.html", *(f"{key}.html" for key in KEYS)]
    )
    assert len(list((site / "answers").iterdir())) == len(KEYS) * 2 * 2 * 2


@pytest.mark.parametrize("key", KEYS)
def test_a_page_works_from_a_file_in_both_languages(visitor: Visitor, site: Path, key: str) -> None:
    page = visitor.open(url=(site / f"{key}.html").as_uri())
    before = closed_forms(page)
    assert before and page.locator("#board .step").count() > 5
    expect(page.locator("#check")).to_contain_text("Agrees with finite differences")
    page.get_by_role("button", name="한국어").click()
    settled(page)
    expect(page.locator("#board h3").first).to_have_text("주어진 것")
    assert closed_forms(page) == before
    page.get_by_role("tab", name="PyTorch").click()
    expect(page.locator("#tabs [role=tabpanel]:not([hidden]) code")).to_contain_text("import torch")
    assert {url.split(":")[0] for url in visitor.requests} <= {"file", "data", "blob"}


def test_a_static_page_can_be_played_and_its_examples_lead_on(visitor: Visitor, site: Path) -> None:
    page = visitor.open(url=(site / "index.html").as_uri())
    page.keyboard.press("ArrowRight")
    expect(page.locator("#count")).to_contain_text("1 /")
    page.get_by_role("button", name="by differentials").click()
    settled(page)
    page.get_by_role("button", name="numerator", exact=True).click()
    assert closed_forms(page) == ["dL/dW = x dL/dy", "dL/dx = (dL/dy) W"]
    page.locator("#gallery a[data-key='softmax']").click()
    page.wait_for_url("**/softmax.html*")
    settled(page)
    assert closed_forms(page)[-1].startswith("dL/db = ")
    expect(page.locator("#practice-open")).to_be_hidden()


def test_axe_finds_nothing_on_a_static_page(visitor: Visitor, site: Path) -> None:
    page = visitor.open(url=(site / "index.html").as_uri(), phone=True, dark=True)
    assert violations(page) == []


def test_the_saved_json_is_the_derivation(site: Path) -> None:
    document = json.loads((site / "answers" / "lecture.ko.elementwise.json").read_text(encoding="utf-8"))
    assert (document["language"], document["program"]) == ("ko", "y = W x")


def test_writing_again_changes_nothing_and_leaves_other_files_alone(site: Path) -> None:
    (site / "mine.txt").write_text("mine", encoding="utf-8")
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert export_site(site, GALLERY[:1]) == 2
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
    (site / "mine.txt").unlink()


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    command = [sys.executable, "-m", "pullback", "export-site", str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 2
    assert "can't be written" in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
