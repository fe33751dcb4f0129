"""Repos of the light tests: an Ovfile over files that are no models, built by actions that hash.

ovfile("a", "b") -> text                 a model per name, in one precision or several
put(folder, ovfile(...), a="1")          write it, with the content of sources
build(folder), build_and_lock(folder)    build all; the records are real ones
out_of_date(folder)                      what `ovmake lock --check` says
graph_of(text)                           the graph of an Ovfile's text
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.commands.lock.command import check_lock, lock
from ovmake.contracts.codec import to_bytes
from ovmake.contracts.files.evaluation import DropInterval
from ovmake.contracts.files.record import Record, RecordedSource, Reproducible
from ovmake.contracts.files.search import Search, SearchedLayer
from ovmake.contracts.files.verdict import Verdict
from ovmake.engine.job import Failure, Job, Success
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from ovmake.graph.lower import SourceForm, lower
from ovmake.lockfile.checking import in_words
from ovmake.ovfile.parse import parse
from ovmake.project.opening import open_session, read_session
from ovmake.project.repo import Where
from ovmake.rules import build_target, measure_target
from tests.real import WritingRunner

RECORD = Record(
    target="digits:int8",
    source=RecordedSource(path="models/digits", fingerprint="ab", read_by="openvino"),
    options={},
    versions={"openvino": "2026.4.1", "ovmake": "0.1.0"},
    inputs=(),
    outputs=(),
    frozen_inputs=(),
    files={},
    size_bytes=3,
    reproducible=Reproducible(same_machine=True, may_differ_between_machines=(), isa="avx2"),
    gate=Verdict(
        result="passed",
        text="",
        drop=0.0042,
        interval=DropInterval(low=0.001, high=0.007, level=0.95, replicates=1000),
    ),
    tensorflow={"accuracy": 0.918},
    openvino={"accuracy": 0.9138},
    samples=100,
    compared_on=None,
    differences=(),
    operations=None,
    executed={},
    layers=(),
    weights={},
    compile_properties={},
    compile="",
    accuracy_control=Search(
        layers=3,
        int8=1,
        reverted=tuple(SearchedLayer(name=name, type="Convolution", share=0.4) for name in ("b/conv", "a/conv")),
        worst=(),
        trials=(),
        kept=True,
        hopeless=False,
        ended="",
        inferences=9,
    ),
)


@dataclass(slots=True)
class RecordingRunner(WritingRunner):
    """A runner whose records are those of ovmake."""

    def _run(self, job: Job) -> Success | Failure:
        result = WritingRunner._run(self, job)
        if "record" in job.outputs:
            Path(job.outputs["record"]).write_bytes(to_bytes(RECORD))
        return result


def ovfile(*models: str, **settings: str) -> str:
    """Return an Ovfile without gates; `settings` are lines of a model's table, by its name."""
    tables = (f'\n[models.{name}]\nsource = "models/{name}.pb"\n{settings.get(name, "")}\n' for name in models)
    return '[defaults]\nprecisions = ["fp32"]\naccuracy = false\n' + "".join(tables)


def put(folder: Path, text: str, **contents: str) -> None:
    """Write an Ovfile, and sources by the name of their model."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "Ovfile").write_text(text)
    for name, content in contents.items():
        (folder / f"models/{name}.pb").write_text(content)


def build(folder: Path, *targets: str) -> list[str]:
    """Build targets, or all; return what ran."""
    runner = RecordingRunner()
    with open_session(Where(folder=folder), wait=False, tell=lambda _: None) as session:
        session.runner = runner
        graph = session.graph(measure=False)
        outcome = session.execute(graph, targets or list(graph.targets), Options(), lambda _: None)
    assert outcome.exit_status == 0
    return runner.ran


def build_and_lock(folder: Path) -> None:
    """Build all, and write the lock as `ovmake lock` does."""
    build(folder)
    with read_session(Where(folder=folder), tell=lambda _: None) as session:
        assert lock(session, ()).must_build == ()


def out_of_date(folder: Path) -> list[str]:
    """Return what `ovmake lock --check` says is out of date."""
    with read_session(Where(folder=folder), tell=lambda _: None) as session:
        return [in_words(finding) for finding in check_lock(session, ()).findings]


def graph_of(text: str, *, measure: bool = False, kinds: Mapping[str, str] | None = None) -> Graph:
    """Return the graph of an Ovfile's text."""
    forms = {path: SourceForm(kind=kind) for path, kind in (kinds or {}).items()}
    return lower(parse(text), measure_target if measure else build_target, forms)
