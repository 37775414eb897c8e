"""The files of the page: read once, named by their content, so that browsers may keep them for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMPORT = re.compile(r'(?<=from )"\./([\w.-]+)"')
_IMPORT_LINE = re.compile(r'^import (\{[^;]*?\}) from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with the name that it is served by."""

    name: str
    kind: str
    data: bytes


@cache
def source(name: str) -> str:
    """The text of a file of the page."""
    return files("pullback.web").joinpath("static", name).read_text(encoding="utf-8")


@cache
def asset(name: str) -> Asset:
    """A file of the page, the modules that it imports by the names that they are served by."""
    stem, dot, ending = name.rpartition(".")
    text = _IMPORT.sub(lambda found: f'"./{asset(found[1]).name}"', source(name))
    data = text.encode("utf-8")
    return Asset(f"{stem}.{sha256(data).hexdigest()[:12]}{dot}{ending}", _KINDS[f".{ending}"], data)


@cache
def assets() -> dict[str, Asset]:
    """All files that are served, by the names that they are served by."""
    found = [entry.name for entry in files("pullback.web").joinpath("static").iterdir()]
    made = [asset(name) for name in found if f".{name.rpartition('.')[2]}" in _KINDS]
    return {one.name: one for one in made}


def bundle(name: str = "app.js") -> str:
    """All modules as one script that needs no server: modules are not loaded from files by browsers.

    Each module becomes a function that gives what the module exports.
    """
    order: list[str] = []

    def visit(module: str) -> None:
        for _, inner in _IMPORT_LINE.findall(source(module)):
            visit(inner)
        if module not in order:
            order.append(module)

    visit(name)
    return '(() => {\n"use strict";\n' + "".join(map(_closed, order)) + "})();\n"


def _closed(module: str) -> str:
    text = source(module)
    exported = ", ".join(_EXPORT.findall(text))
    text = _IMPORT_LINE.sub(lambda found: f"const {found[1]} = {_object(found[2])};\n", text)
    text = _EXPORT.sub(lambda found: found[0].removeprefix("export "), text)
    return f"const {_object(module)} = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();\n"


def _object(module: str) -> str:
    return f"in_{module.removesuffix('.js')}"
