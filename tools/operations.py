"""Write the page of the table of operations, docs/operations.md, from the table itself."""

from __future__ import annotations

from pathlib import Path

from pullback.rendering.operations import page

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"


def main() -> None:
    """Write docs/operations.md."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
