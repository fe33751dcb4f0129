r"""The fenced blocks of README.md and of the pages in `ovmake/docs`.

blocks(path) -> [Block(info="console", text="$ ovmake build\n...", start=57), ...]
steps(text) -> [("ovmake build", "digits:fp32 ...\n"), ...]      the commands of a transcript, with what each prints
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "ovmake/docs").glob("*.md")))
FENCE = "```"
PROMPT = "$ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: the words behind its fence, its text, and the number of its first line in the page, from 0."""

    info: str
    text: str
    start: int


def blocks(path: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    found: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.startswith(FENCE)]
    assert len(fences) % 2 == 0, f"{path}: a block has no end"
    for begin, end in zip(fences[::2], fences[1::2], strict=True):
        info = lines[begin].removeprefix(FENCE).strip()
        found.append(Block(info=info, text="".join(lines[begin + 1 : end]), start=begin + 1))
    return found


def steps(text: str) -> list[tuple[str, str]]:
    """Return each command of a transcript, and what it prints."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT).rstrip("\n"), ""))
        else:
            command, printed = found.pop()
            found.append((command, printed + line))
    return found
