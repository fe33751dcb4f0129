"""`ovmake report`: build, measure what is stale, write the report.

    report(session, request, listener) -> Written

Measurements are actions like others, so an unchanged IR on an unchanged machine is not measured again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from ovmake.engine.events import Event
from ovmake.engine.world import Options
from ovmake.graph.query import select
from ovmake.report.html import to_html
from ovmake.report.records import gather
from ovmake.report.tables import build_page, verdicts
from ovmake.session import Session
from ovmake.store.cas import Cas

# The kinds of action that --force runs again: what a busy machine may have got wrong.
MEASUREMENTS = frozenset({"benchmark", "compare-speed", "time-candidates"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    targets: tuple[str, ...]
    jobs: int
    measure: bool
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: paths relative to the Ovfile's folder, and a verdict in words per target."""

    html: str
    json: str
    verdicts: tuple[str, ...]
    exit_status: int


def report(session: Session, request: Request, listener: Callable[[Event], None]) -> Written:
    """Bring targets and measurements up to date and write the report about them.

    A target that fails is in the report too, with the reason; the exit status says that it failed.
    """
    graph = session.graph(measure=True)
    targets = select(graph, request.targets)
    options = Options(
        jobs=request.jobs,
        # One target that fails must not keep the others out of the report.
        keep_going=True,
        forced=MEASUREMENTS if request.again else frozenset(),
        dry_run=not request.measure,
    )
    outcome = session.execute(graph, targets, options, listener)
    reports = gather(graph, outcome, targets, Cas(session.disk).read)
    page = build_page(reports, title=session.ovfile.report_title)
    folder = f"{session.ovfile.build_dir}/report"
    session.disk.write(f"{folder}/report.json", (json.dumps(page.to_json(), indent=2) + "\n").encode())
    session.disk.write(f"{folder}/index.html", to_html(page).encode())
    return Written(
        html=f"{folder}/index.html",
        json=f"{folder}/report.json",
        verdicts=verdicts(page),
        exit_status=outcome.exit_status,
    )
