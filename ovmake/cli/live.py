"""The live view of a build on a terminal: running actions with their times, below the lines of finished ones.

    with Live(write, explain=False) as listener: listener(event)

`write` prints lines before the first action runs.

No line is wider than the terminal; otherwise the view could not be redrawn in place. Rich is loaded when the first
action runs: it takes 60 ms, and a no-op build does not need it.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from ovmake.cli.narrow import fit
from ovmake.cli.terminal import Write, doing, how_far, inner, lines_of
from ovmake.engine.events import (
    ActionDownloading,
    ActionFinished,
    ActionProgressed,
    ActionStarted,
    BuildProgressed,
    Event,
    Uploading,
)
from ovmake.engine.job import Progress
from ovmake.graph.action import Action

# On narrower terminals, counts are shown without words.
NARROW = 72


class Live:
    """See the module."""

    def __init__(self, write: Write, *, explain: bool) -> None:
        self._write = write
        self._explain = explain
        self._view: Any = None
        self._tasks: dict[str, Any] = {}
        self._narrow = False
        self._progress: tuple[BuildProgressed, float] | None = None

    def __call__(self, event: Event) -> None:
        """Update the view."""
        if isinstance(event, ActionStarted):
            if event.action.worker != "in-process":  # in-process actions take milliseconds
                self._begin(event.action)
            if not self._explain:
                return
        if isinstance(event, BuildProgressed):
            self._progress = (event, time.monotonic())
        if isinstance(event, ActionDownloading):
            self._show(event.action.name, f"downloading · {event.action.subject}", event.progress)
        if isinstance(event, Uploading):
            self._show("", "uploading to the remote cache", event.progress)
        if isinstance(event, ActionProgressed):
            self._advance(event)
        if isinstance(event, ActionFinished):
            self._end(event.action)
        self._print(lines_of(event, explain=self._explain))

    def _begin(self, action: Action) -> None:
        self._add(action.name, f"{doing(action.kind)} · {action.subject}")

    def _add(self, name: str, description: str) -> None:
        if self._view is None:
            self._view = _view(self._footer)
            self._narrow = self._view.console.width < NARROW
            self._view.start()
        self._tasks[name] = self._view.add_task(description, total=None, inner="")

    def _show(self, name: str, description: str, progress: Progress) -> None:
        """Show a transfer, in a row of its own."""
        if name not in self._tasks:
            self._add(name, description)
        self._view.update(self._tasks[name], inner=inner(progress, narrow=self._narrow))

    def _advance(self, event: ActionProgressed) -> None:
        if event.action.name in self._tasks:
            words = inner(event.progress, narrow=self._narrow)
            self._view.update(self._tasks[event.action.name], inner=words)

    def _footer(self) -> str:
        if self._progress is None:
            return ""
        event, heard = self._progress
        return how_far(event, time.monotonic() - heard)

    def _end(self, action: Action) -> None:
        task = self._tasks.pop(action.name, None)
        if task is not None:
            self._view.remove_task(task)

    def _print(self, lines: list[str]) -> None:
        for line in lines if self._view is None else fit(lines, self._view.console.width):
            if self._view is None:
                self._write(line)
            else:
                # Messages may contain [brackets], which rich must not read as markup.
                self._view.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        """The view opens with the first action."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._view is not None:
            self._view.stop()


def _view(footer: Any) -> Any:
    """Return a rich view: a row for each running action, and one line below them."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column
    from rich.text import Text

    class View(Progress):
        def get_renderables(self) -> Any:
            yield from super().get_renderables()
            if words := footer():
                yield Text(words, no_wrap=True, overflow="ellipsis")

    def column(*, takes_all: bool = False) -> Column:
        return Column(no_wrap=True, overflow="ellipsis", ratio=1 if takes_all else None)

    console = Console(stderr=True)
    return View(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=column(takes_all=True)),
        TextColumn("{task.fields[inner]}", markup=False, table_column=column()),
        *(() if console.width < NARROW else (TimeElapsedColumn(table_column=column()),)),
        console=console,
        transient=True,
        expand=True,
    )
