"""Draw the pictures of the documentation from what the program really prints."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pullback.cli.tour import linear_layer

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH = 90
COMMAND = '$ pullback derive "y = W x" --value W="1 2 3; 4 5 6" --value x="9 10 11" --upstream "7 8"'


def main() -> None:
    """Write docs/images/linear-layer.svg."""
    text = Text.from_ansi(f"{COMMAND}\n\n{linear_layer().terminal(width=WIDTH, colour=True)}")
    width = max(60, *(len(line) for line in text.plain.splitlines()))
    console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
    console.print(text, soft_wrap=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    picture = console.export_svg(title="pullback", unique_id="linear-layer")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # fonts of other hosts
    picture = "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"
    (IMAGES / "linear-layer.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
