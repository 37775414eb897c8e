"""Where Chromium is, for the tests of what it shows."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def executable() -> str | None:
    """The path of a browser; the variable CHROMIUM names another one."""
    wanted = [os.environ.get("CHROMIUM", ""), *NAMES]
    return next((path for name in wanted if name and (path := shutil.which(name))), None)
