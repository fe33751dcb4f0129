"""Pages of the documentation on stdout: rendered on a terminal, the Markdown itself in a pipe.

    show_markdown(text)

Rich takes 100 ms to load, so only a terminal pays for it.
"""

from __future__ import annotations

import os
import sys

from ovmake.cli.console import show, width

# Longer lines of prose are hard to read.
WIDEST = 100


def show_markdown(text: str) -> None:
    """Print a page; a file or another program gets it as it is written."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        show(text.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    wide = max((len(line) for line in text.splitlines() if line.startswith("| ")), default=0) > WIDEST
    Console(file=sys.stdout, width=width() if wide else min(width(), WIDEST)).print(Markdown(text, hyperlinks=False))
