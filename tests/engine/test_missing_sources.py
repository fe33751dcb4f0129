"""Sources, tools and outputs that are not there or cannot be read: the action that wants one fails, and says which."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.job import Job
from ovmake.engine.world import Options
from tests.engine.small import action, graph, repo
from tests.fakes import Built, FakeRepo

KEEP_GOING = Options(keep_going=True)
ONE = graph(action("convert m", "models/m.pb", place="build/m/m.xml"))
TWO = graph(
    action("convert m", "models/m.pb"),
    action("quantize m", "convert m", place="build/m/m.xml"),
    action("convert n", "models/n.pb", place="build/n/n.xml"),
)


def diagnostic(built: Built, name: str) -> Diagnostic:
    found = built.actions[name].diagnostic
    assert found is not None
    return found


def test_missing_source_is_named_with_the_action_that_wants_it() -> None:
    built = repo({"models/n.pb": b"a"}).build(TWO)

    assert diagnostic(built, "convert m") == Diagnostic(
        code="source-not-found",
        message="convert m: there is no `models/m.pb`",
        help="paths are relative to the folder of the Ovfile",
    )
    assert built.statuses == {"convert m": "failed", "quantize m": "skipped", "convert n": "skipped"}
    assert built.outcome.exit_status == 1


def test_keep_going_builds_what_does_not_want_the_missing_source() -> None:
    built = repo({"models/n.pb": b"a"}).build(TWO, options=KEEP_GOING)

    assert built.outcome.targets == {"convert m": "failed", "quantize m": "failed", "convert n": "built"}
    assert built.ran == ["convert n"]


def test_source_that_appears_is_built() -> None:
    there = repo({"models/n.pb": b"a"})
    there.build(TWO, options=KEEP_GOING)
    there.disk.put("models/m.pb", b"b")

    built = there.build(TWO, options=KEEP_GOING)

    assert built.statuses == {"convert m": "ran", "quantize m": "ran", "convert n": "fresh"}


def test_source_that_goes_fails_and_leaves_the_last_good_output() -> None:
    there = repo()
    there.build(ONE)
    published = there.disk.under("build")
    there.disk.take_away("models")

    built = there.build(ONE)

    assert built.statuses == {"convert m": "failed"}
    assert there.disk.under("build") == published


def test_source_that_comes_back_runs_nothing() -> None:
    there = repo()
    there.build(ONE)
    there.disk.take_away("models")
    there.build(ONE)
    there.disk.tick()
    there.disk.put("models/m.pb", b"a0")

    assert there.build(ONE).statuses == {"convert m": "fresh"}


def test_a_dry_run_says_that_a_source_is_missing() -> None:
    built = repo({"models/n.pb": b"a"}).build(TWO, options=Options(dry_run=True, keep_going=True))

    assert built.statuses == {"convert m": "failed", "quantize m": "skipped", "convert n": "would-run"}


def test_unreadable_source_fails_with_the_systems_own_words() -> None:
    there = repo()
    there.disk.unreadable.add("models/m.pb")

    built = there.build(ONE)

    assert diagnostic(built, "convert m").code == "source-unreadable"
    assert diagnostic(built, "convert m").message == "convert m: cannot read `models/m.pb`: Permission denied"


def test_unreadable_file_in_a_folder_fails_the_action_that_reads_the_folder() -> None:
    there = repo({"models/n.pb": b"a", "models/m.pb/variables/index": b"a"})
    there.disk.unreadable.add("models/m.pb/variables/index")

    built = there.build(TWO, options=KEEP_GOING)

    assert built.statuses == {"convert m": "failed", "quantize m": "skipped", "convert n": "ran"}


def test_source_that_becomes_unreadable_while_it_is_read_fails_its_action_only() -> None:
    there = repo({"models/n.pb": b"a", "models/m.pb/saved_model.pb": b"a"})

    def lock_it(job: Job) -> None:
        if job.action.name == "convert m":
            there.disk.unreadable.add("models/m.pb")

    built = there.build(TWO, options=KEEP_GOING, during=lock_it)

    assert built.statuses == {"convert m": "failed", "quantize m": "skipped", "convert n": "ran"}


def test_published_file_that_cannot_be_read_is_published_again() -> None:
    there = repo()
    there.build(ONE)
    there.disk.unreadable.add("build/m/m.xml")

    built = there.build(ONE)

    assert built.statuses == {"convert m": "restored"}


class Toolless(FakeRepo):
    """A repo on a machine without NNCF."""

    def version(self, tool: str) -> str:
        """See `World`."""
        if tool == "nncf":
            raise OvmakeError(
                Diagnostic(code="tool-missing", message="`nncf` is not installed", help="pip install nncf")
            )
        return "1"


def test_missing_tool_fails_the_actions_that_use_it() -> None:
    there = Toolless()
    there.disk.put("models/m.pb", b"a")
    plan = graph(action("convert m", "models/m.pb"), action("quantize m", "convert m", tools=("nncf",)))

    built = there.build(plan)

    assert built.statuses == {"convert m": "ran", "quantize m": "failed"}
    missing = diagnostic(built, "quantize m")
    assert (missing.message, missing.help) == ("quantize m: `nncf` is not installed", "pip install nncf")


@pytest.mark.parametrize("keep_going", [False, True])
def test_nothing_is_built_where_everything_is_missing(keep_going: bool) -> None:  # noqa: FBT001
    built = repo({"README.md": b""}).build(TWO, options=Options(keep_going=keep_going))

    assert (built.ran, built.outcome.exit_status) == ([], 1)
