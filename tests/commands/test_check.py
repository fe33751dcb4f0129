"""`build --check`: what is the same, what differs first, what is left out, and that nothing of it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ovmake.commands.check import SCRATCH, Checked, _difference, check
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.job import Completion, Failure, Job
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph
from tests.engine.small import action, graph
from tests.real import Built, RealRepo, WritingRunner


@dataclass(slots=True, kw_only=True)
class Second(WritingRunner):
    """The runner of the second build. `turn` may do something about a job instead of running it."""

    turn: Callable[[Job], Failure | None] = lambda _: None

    def wait(self) -> Completion:
        """See `Runner`."""
        if (failure := self.turn(self._jobs[0])) is not None:
            return Completion(job=self._jobs.pop(0), result=failure, seconds=1.0)
        return super(Second, self).wait()


def chain() -> tuple[Action, ...]:
    """Return the actions of one target, with a journal kept on the way."""
    convert = action("convert m", "models/m.pb")
    evaluate = replace(action("evaluate m", "convert m"), journal=())
    return convert, evaluate, action("publish m", "convert m", "evaluate m", place="build/m/m.xml")


def one_target(*actions: Action) -> Graph:
    """Return a graph with the last action as the target `m:fp32`."""
    return replace(graph(*actions), targets={"m:fp32": actions[-1].name})


@pytest.fixture
def repo(tmp_path: Path) -> RealRepo:
    there = RealRepo(tmp_path)
    there.put("models/m.pb", b"m")
    return there


def checked(
    repo: RealRepo, current: Graph, runner: WritingRunner | None = None, noise: frozenset[str] = frozenset()
) -> tuple[Built, Checked]:
    """Build, and check what was built."""
    built = repo.build(current, noise=noise)
    assert 0 == built.outcome.exit_status
    with repo.database() as database:
        world = repo.world(database, runner or WritingRunner(), [])
        return built, check(current, built.outcome, world, Options())


def refused(repo: RealRepo, current: Graph, runner: WritingRunner, noise: frozenset[str] = frozenset()) -> Diagnostic:
    """Build, and return what the check complains about."""
    with pytest.raises(OvmakeError) as caught:
        checked(repo, current, runner, noise)
    assert 1 == caught.value.exit_status
    assert not (repo.root / SCRATCH).exists()
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_what_is_the_same_is_counted(repo: RealRepo) -> None:
    _, found = checked(repo, one_target(*chain()))

    assert Checked(files=1, targets=1, outputs=2, left_out={}) == found
    assert ["1 file of 1 target is the same, byte for byte"] == found.lines()
    assert {
        "event": "check-finished",
        "format": 1,
        "files": 1,
        "targets": 1,
        "outputs": 2,
        "left_out": {},
    } == found.to_json()


def test_everything_runs_again_and_nothing_of_it_stays(repo: RealRepo) -> None:
    current = one_target(*chain())
    repo.build(current)
    before = (repo.published(), repo.stored())
    runner, seen = Second(), []
    runner.turn = lambda job: seen.append((job.action.name, Path(job.journal).exists() and bool(job.journal)))

    checked(repo, current, runner)

    # The second *evaluate* finds no journal, although the first has left one.
    assert [("convert m", False), ("evaluate m", False), ("publish m", False)] == seen
    assert 1 == len(list((repo.root / ".ovmake/journals").iterdir()))
    assert before == (repo.published(), repo.stored())
    assert {"fresh"} == set(repo.build(current).statuses.values())
    assert not (repo.root / SCRATCH).exists()


def test_first_action_that_differs_is_named_with_the_place(repo: RealRepo) -> None:
    noise = frozenset({"evaluate m"})

    found = refused(repo, one_target(*chain()), WritingRunner(noise=noise), noise=noise)

    # What hashes make is one line of 29,000 characters; noise is a line after it, with a number that counts up.
    assert ("not-reproducible", "error") == (found.code, found.severity)
    assert "evaluate m: `out` differs on rebuild, starting at byte N, line 2" == re.sub(r"\d{5}", "N", found.message)
    first, then = (int(note.rpartition(" ")[2]) for note in found.notes)
    assert ((f"first build: line 2: {first}", f"second build: line 2: {then}"), True) == (found.notes, first < then)


def test_of_two_that_differ_the_earlier_is_named(repo: RealRepo) -> None:
    found = refused(repo, one_target(*chain()), WritingRunner(noise=frozenset({"evaluate m", "convert m"})))

    assert found.message.startswith("convert m: `out` differs on rebuild")


def test_published_file_that_differs_is_named_by_its_place(repo: RealRepo) -> None:
    found = refused(repo, one_target(*chain()), WritingRunner(noise=frozenset({"publish m"})))

    assert found.message.startswith("publish m: build/m/m.xml differs on rebuild, starting at byte ")


@dataclass(slots=True, kw_only=True)
class Spoiling(WritingRunner):
    """Writes something else than the first build's runner did."""

    data: bytes

    def wait(self) -> Completion:
        """See `Runner`."""
        job = self._jobs[0]
        completion = super(Spoiling, self).wait()
        if job.action.name == "convert m":
            Path(job.outputs["out"]).write_bytes(self.data)
        return completion


def test_line_of_text_is_shown_as_it_was_and_as_it_is(repo: RealRepo) -> None:
    first = repo.build(one_target(*chain())).outcome.actions["convert m"].outputs
    assert first is not None
    data = repo.cas.read(first["out"])

    found = refused(repo, one_target(*chain()), Spoiling(data=data[:10] + b"X" + data[11:]))

    assert "convert m: `out` differs on rebuild, starting at byte 10, line 1" == found.message
    assert [data[:100], data[:10] + b"X" + data[11:100]] == [
        note.partition(": ")[2].removesuffix("…").encode() for note in found.notes
    ]


@pytest.mark.parametrize("at", [0, 65_535, 65_536, 199_999])
def test_place_is_found_in_a_large_file(at: int) -> None:
    data = bytes(200_000)

    assert f"byte {at}, line 1" == _difference(data, data[:at] + b"X" + data[at + 1 :])[0]


def test_file_that_goes_on_differs_from_its_end_on() -> None:
    notes = ("4 bytes in the first build, 7 in the second", "first build: b", "second build: b")
    assert ("byte 4, line 2", notes) == _difference(b"a\n b", b"a\n b\nc ")


def test_bytes_that_are_no_text_have_no_line(repo: RealRepo) -> None:
    found = refused(repo, one_target(*chain()), Spoiling(data=b"\xff\xfe"))

    assert "convert m: `out` differs on rebuild, starting at byte 0" == found.message
    assert [r"N bytes in the first build, N in the second"] == [re.sub(r"\d+", "N", note) for note in found.notes]


# what measures


def measuring(name: str, *reads: str, advisory: bool = False) -> Action:
    return replace(action(name, *reads, environment=("machine",), exclusive=True), advisory=advisory)


def test_target_that_rests_on_a_measurement_is_left_out_and_named(repo: RealRepo) -> None:
    times = measuring("time-candidates m:auto", "convert m")
    chosen = action("choose m:auto", "time-candidates m:auto", "convert m", place="build/m/auto/m.xml")
    made = graph(*chain(), times, chosen)
    current = replace(made, targets={"m:fp32": "publish m", "m:auto": "choose m:auto"})
    runner = WritingRunner(noise=frozenset({"time-candidates m:auto", "choose m:auto"}))

    _, found = checked(repo, current, runner)

    assert ["convert m", "evaluate m", "publish m"] == runner.ran
    assert [
        "m:auto was left out: it depends on time-candidates m:auto",
        "1 file of 1 target is the same, byte for byte",
    ] == found.lines()


def test_advice_at_the_end_of_a_target_is_left_out_without_a_word(repo: RealRepo) -> None:
    compare = replace(measuring("compare-speed m", "convert m", advisory=True), after=("publish m",))
    judge = replace(action("check-speed m", "compare-speed m"), advisory=True)
    runner = WritingRunner()

    _, found = checked(repo, one_target(*chain(), compare, judge), runner)

    assert ["convert m", "evaluate m", "publish m"] == runner.ran
    assert Checked(files=1, targets=1, outputs=2, left_out={}) == found


def test_action_that_waits_for_advice_does_not_wait_in_vain(repo: RealRepo) -> None:
    compare = measuring("compare-speed m", "convert m", advisory=True)
    last = action("publish n", "convert m", after=("compare-speed m",), place="build/n/n.xml")

    _, found = checked(repo, one_target(chain()[0], compare, last))

    assert 1 == found.files


# what goes wrong


def test_action_that_fails_the_second_time_is_named(repo: RealRepo) -> None:
    def turn(job: Job) -> Failure | None:
        return Failure(code="worker-died", message="it died") if job.action.name == "evaluate m" else None

    found = refused(repo, one_target(*chain()), Second(turn=turn))

    assert "not-rebuilt" == found.code
    assert "evaluate m failed in the second build: evaluate m: it died" == found.message


def test_interrupted_it_leaves_nothing(repo: RealRepo) -> None:
    def turn(job: Job) -> None:
        assert (repo.root / SCRATCH).is_dir()
        if job.action.name == "evaluate m":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checked(repo, one_target(*chain()), Second(turn=turn))

    assert not (repo.root / SCRATCH).exists()


def test_what_a_killed_check_left_is_no_part_of_the_next(repo: RealRepo) -> None:
    repo.put(f"{SCRATCH}/cas/ab/cd", b"left")
    repo.put(f"{SCRATCH}/build/m/m.xml", b"left")

    _, found = checked(repo, one_target(*chain()))

    assert (1, False) == (found.files, (repo.root / SCRATCH).exists())


@pytest.mark.parametrize("place", ["../out/m/m.xml", "/tmp/out/m/m.xml", "./build/m/m.xml"])  # noqa: S108
def test_second_build_stays_in_its_scratch_place(place: str, tmp_path: Path) -> None:
    repo = RealRepo(tmp_path / "repo", allow_outside=True)
    repo.put("models/m.pb", b"m")
    place = place.replace("/tmp", str(tmp_path))  # noqa: S108
    seen: list[Path] = []

    def turn(_: Job) -> None:
        seen.extend(path for path in tmp_path.rglob("m.xml") if "check" not in path.parts)

    current = one_target(action("convert m", "models/m.pb"), action("publish m", "convert m", place=place))
    checked(repo, current, Second(turn=turn))

    assert 1 == len({*seen, *tmp_path.rglob("m.xml")})
