"""`ovmake report`: build, measure what is stale, write the report.

    report(session, request, listener) -> Written

Measurements are actions. So an unchanged IR on an unchanged machine is not measured again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ovmake.commands.report.document import document, reported
from ovmake.commands.report.facts.earlier import earlier
from ovmake.commands.report.facts.history import EarlierReport, compare, compared
from ovmake.commands.report.facts.records import gather
from ovmake.commands.report.render.html import to_html
from ovmake.commands.report.render.junit import to_junit
from ovmake.commands.report.tables import Page, build_page, verdicts
from ovmake.contracts.codec import encode_object, to_bytes
from ovmake.diagnostics import Diagnostic, OvmakeError, what_to_do
from ovmake.engine.events import Event
from ovmake.engine.world import Options
from ovmake.graph.query import select
from ovmake.project.session import Session
from ovmake.store.cas import Cas
from ovmake.store.files.own_folders import OwnFolders

# The kinds of action that --force runs again: a busy machine may have given wrong figures.
MEASUREMENTS = frozenset({"benchmark", "compare-speed", "time-candidates"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The arguments of the command line."""

    targets: tuple[str, ...]
    jobs: int
    measure: bool
    again: bool
    against: str = ""
    junit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The written files, relative to the Ovfile's folder, a verdict in words per target, and the page.

    `twin` is a copy of `json` next to the Ovfile, to be committed: Git ignores the build folder.
    """

    html: str
    json: str
    twin: str
    verdicts: tuple[str, ...]
    changes: tuple[str, ...]
    page: Page
    exit_status: int


def report(session: Session, request: Request, listener: Callable[[Event], None]) -> Written:
    """Bring targets and measurements up to date, and write the report.

    The report also contains targets that failed, with the reason. The exit status says that they failed.
    """
    folder = f"{session.ovfile.build_dir}/report"
    # Read first: this run may overwrite the file, and a wrong argument must fail before anything is measured.
    twin = f"{session.where.ovfile.name}.report.json"
    before = _earlier(session, request, (twin, f"{folder}/report.json"))
    graph = session.graph_to_run(measure=True)
    targets = select(graph, request.targets)
    options = Options(
        jobs=request.jobs,
        # If one target fails, the report still contains the rest.
        keep_going=True,
        forced=MEASUREMENTS if request.again else frozenset(),
        dry_run=not request.measure,
        progress=request.measure,
    )
    outcome = session.execute(graph, targets, options, listener)
    reports = gather(graph, outcome, targets, Cas(session.disk).read)
    page = build_page(reports, title=session.ovfile.report_title)
    if before is not None:
        history = compare(
            before, [compared(encode_object(reported(row))) for row in page.rows], against=request.against
        )
        page = replace(page, history=history)
    content = to_bytes(document(page))
    session.disk.write(f"{folder}/report.json", content)
    session.disk.write(f"{folder}/index.html", to_html(page).encode())
    session.disk.write(twin, content)
    if request.junit:
        _write_junit(Path(request.junit), page)
    return Written(
        html=f"{folder}/index.html",
        json=f"{folder}/report.json",
        twin=twin,
        verdicts=verdicts(page),
        changes=_changes(page),
        page=page,
        exit_status=outcome.exit_status,
    )


def _earlier(session: Session, request: Request, places: Sequence[str]) -> EarlierReport | None:
    if not request.against:
        return None
    return earlier(request.against, folder=Path(session.disk.absolute(".")), reports=places)


def _changes(page: Page) -> tuple[str, ...]:
    """Return a line per target that changed since the earlier report."""
    changed = [change for change in page.history.changes if change.weighs] if page.history else []
    return tuple(f"{change.target}: {'; '.join((*change.sentences, *change.between))}" for change in changed)


def _write_junit(place: Path, page: Page) -> None:
    """Write the file atomically.

    Raises:
        OvmakeError: it cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        OwnFolders(str(place.parent)).replace(place.name, to_junit(page))
    except OSError as error:
        message = f"cannot write {place}: {error.strerror or error}"
        raise OvmakeError(
            Diagnostic(code="cannot-write", message=message, help=what_to_do(error)), exit_status=1
        ) from error
