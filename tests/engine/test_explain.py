"""Reasons in words, as `build --explain`, `build -n` and `explain` print them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ovmake.cli.terminal import lines_of
from ovmake.engine.events import ActionFinished, ActionStarted
from ovmake.engine.explain import SHOWN_FILES, all_in_words, in_words, nearest_in_words
from ovmake.engine.staleness import Decision, Reason
from ovmake.engine.world import Options
from ovmake.graph.action import Artifact, Input
from ovmake.graph.digest import of_bytes
from ovmake.graph.trace import Seen
from ovmake.ovfile.words import KeyPath
from ovmake.store.files.sources import MOST_LISTED
from tests.engine.small import action, graph, repo
from tests.fakes import Built, FakeRepo

BATCH = action("convert m", params={"batch": 4})
MACHINE = "A Processor @ 2 GHz; 2 cores; cpu limit none; 16000 MiB; 6.1.0"
MORE = "cores 2 → 64, CPU limit none → 1.5, memory 16000 MiB → 32000 MiB"
OTHER_MACHINE = "A Processor @ 2 GHz; 64 cores; cpu limit 1.5; 32000 MiB; 6.1.0"


def locate(at: KeyPath) -> str:
    return "Ovfile:14" if at == ("models", "m", "batch") else ""


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason(kind="never-built"), "never built"),
        (Reason(kind="forced"), "asked for by --force"),
        (Reason(kind="input", name="models/m.pb", old="a1", new="b2"), "models/m.pb changed: a1 → b2"),
        (
            Reason(kind="input", name="data/b.npz", old="a1", new="b2", was="data/a.npz"),
            "data/b.npz replaces data/a.npz: a1 → b2",
        ),
        (
            Reason(kind="input", name="data/val.npz", old="absent", new="b2"),
            "data/val.npz is a new input",
        ),
        (Reason(kind="input", name="data/val.npz", old="a1", new="absent"), "data/val.npz is no longer an input"),
        (Reason(kind="param", name="batch", old="1", new="4"), "`batch` changed: 1 → 4  Ovfile:14"),
        (Reason(kind="param", name="seed", old="0", new="1"), "`seed` changed: 0 → 1"),
        (Reason(kind="param", name="batch", old="4", new="not set"), "`batch` changed: 4 → not set  Ovfile:14"),
        (Reason(kind="param", name="preset", old='"mixed"', new="not set"), '`preset` changed: "mixed" → not set'),
        (Reason(kind="tool", name="openvino", old='"2026.4.1"', new='"2026.5"'), "`openvino` 2026.4.1 → 2026.5"),
        (
            Reason(kind="tool", name="pillow", old="not set", new='"12.0"'),
            "`pillow` 12.0 is used now; it was not used before",
        ),
        (Reason(kind="tool", name="pillow", old='"12.0"', new="not set"), "`pillow` 12.0 is no longer used"),
        (
            Reason(kind="tool", name="tensorflow", old='"not installed"', new='"2.21.0"'),
            "`tensorflow` not installed → 2.21.0",
        ),
        (
            Reason(kind="code", name="ovmake/workers/conversion", old='"0a1b"', new='"2c3d"'),
            "`ovmake/workers/conversion` changed: 0a1b → 2c3d",
        ),
        (
            Reason(kind="code", name="ovmake/verdicts", old="not set", new='"2c3d"'),
            "`ovmake/verdicts` is used now; it was not used before",
        ),
        (
            Reason(kind="code", name="ovmake/verdicts", old='"0a1b"', new="not set"),
            "`ovmake/verdicts` is no longer used",
        ),
        (
            Reason(kind="environment", name="isa", old='"avx2 fma"', new='"amx_bf16 amx_tile avx2"'),
            "instruction sets changed: amx_bf16 and amx_tile are new, fma is gone",
        ),
        (Reason(kind="environment", name="isa", old="not set", new='"avx2"'), "isa changed: not set → avx2"),
        (
            Reason(kind="environment", name="machine", old=f'"{MACHINE}; avx2"', new=f'"{OTHER_MACHINE}; avx2 fma"'),
            f"machine changed: {MORE}, instruction sets: fma is new",
        ),
        (
            Reason(kind="environment", name="machine", old='"an older ovmake\'s words"', new=f'"{MACHINE}; avx2"'),
            f"machine changed: an older ovmake's words → {MACHINE}; avx2",
        ),
        (Reason(kind="output-missing", name="build/m/m.xml"), "build/m/m.xml is missing"),
        (Reason(kind="output-missing", name="`out` of convert m"), "`out` of convert m is gone from the store"),
        (Reason(kind="output-edited", name="build/m/m.xml"), "build/m/m.xml changed after it was published"),
        (Reason(kind="pending", name="`xml` of convert m"), "`xml` of convert m may change"),
    ],
)
def test_reason_in_words(reason: Reason, expected: str) -> None:
    assert in_words(reason, BATCH, locate) == expected


DRY = Options(dry_run=True)


def reasons_of(built: Built) -> list[tuple[str, tuple[str, ...]]]:
    """Return the actions that a dry run told of, with the reasons it gave."""
    return [(event.action.name, event.reasons) for event in built.events if isinstance(event, ActionFinished)]


def test_setting_without_a_place_in_the_ovfile_is_named_alone() -> None:
    reason = Reason(kind="param", name="batch", old="1", new="4")

    assert in_words(reason, BATCH, lambda _: "") == "`batch` changed: 1 → 4"


def plan(batch: int = 1) -> tuple[FakeRepo, list[str]]:
    """Build, edit, and return what a dry run says."""
    there = repo()
    quantize = action("quantize m", "convert m", place="build/m/m.xml", tools=("nncf",))
    there.build(graph(action("convert m", "models/m.pb", params={"batch": 1}), quantize))
    there.versions["nncf"] = "3.5"
    there.disk.take_away("build")
    now = graph(action("convert m", "models/m.pb", params={"batch": batch}), quantize)
    dry = there.build(now, options=Options(dry_run=True))
    return there, [line for event in dry.events for line in lines_of(event, explain=True)]


def test_dry_run_tells_every_reason_of_every_action() -> None:
    _, lines = plan(batch=4)

    assert lines == [
        "convert m: would run",
        "    `batch` changed: 1 → 4",
        "quantize m: would run",
        "    `nncf` 1 → 3.5",
        "    build/m/m.xml is missing",
        "    `out` of convert m may change when convert m runs",
    ]


def test_dry_run_is_silent_about_what_is_fresh() -> None:
    _, lines = plan(batch=1)

    assert lines == ["quantize m: would run", "    `nncf` 1 → 3.5", "    build/m/m.xml is missing"]


def test_what_may_turn_out_to_be_fresh_says_so() -> None:
    there = repo()
    quantize = action("quantize m", "convert m")
    there.build(graph(action("convert m", "models/m.pb"), quantize))
    now = graph(action("convert m", "models/m.pb", params={"batch": 4}), quantize)

    dry = there.build(now, options=Options(dry_run=True))

    assert dry.statuses == {"convert m": "would-run", "quantize m": "may-run"}
    assert dry.outcome.targets == {"convert m": "stale", "quantize m": "stale"}


def test_all_that_waits_for_one_action_is_one_reason() -> None:
    given = tuple(Input(role=role, origin=Artifact("convert m", role)) for role in ("xml", "bin", "interface"))
    evaluate = replace(
        action("evaluate m"), inputs=(*given, Input(role="facts", origin=Artifact("reference m", "facts")))
    )
    decision = Decision(reasons=tuple(Reason(kind="pending", name=one.label) for one in evaluate.inputs))

    assert all_in_words(decision, evaluate, locate) == (
        "`xml`, `bin` and `interface` of convert m may change when convert m runs",
        "`facts` of reference m may change when reference m runs",
    )


def test_what_was_never_built_waits_for_nothing_to_change() -> None:
    there = repo()

    dry = there.build(graph(action("convert m", "models/m.pb"), action("gate m", "convert m")), options=DRY)

    assert reasons_of(dry) == [("convert m", ("never built",)), ("gate m", ("never built",))]


def test_dry_run_says_what_would_be_restored_and_why() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb", params={"batch": 1}))
    four = graph(action("convert m", "models/m.pb", params={"batch": 4}))
    there.build(one)
    there.build(four)

    dry = there.build(one, options=DRY)

    assert [line for event in dry.events for line in lines_of(event, explain=True)] == [
        "convert m: would be restored from the action cache",
        "    `batch` changed: 4 → 1",
    ]


# folders


FOLDER = {"models/m/saved_model.pb": b"graph", "models/m/variables/data": b"1", "models/m/old.txt": b"x"}
OF_FOLDER = graph(action("convert m", "models/m"))


def short(data: bytes) -> str:
    return of_bytes(data).sha256[:12]


def test_changed_folder_names_the_files_that_differ() -> None:
    there = repo(FOLDER)
    there.build(OF_FOLDER)
    there.disk.put("models/m/variables/data", b"2")
    there.disk.put("models/m/new.txt", b"new")
    there.disk.take_away("models/m/old.txt")

    foreseen, given = there.build(OF_FOLDER, options=DRY), there.build(OF_FOLDER)

    (line,) = dict(reasons_of(foreseen))["convert m"]
    expected = f"new.txt is new, old.txt is gone, variables/data ({short(b'1')} → {short(b'2')})"
    assert line == f"models/m changed: {expected}"
    assert [event.reasons for event in given.events if isinstance(event, ActionStarted)] == [(line,)]


def test_a_restored_folder_names_its_files_too() -> None:
    there = repo(FOLDER)
    there.build(OF_FOLDER)
    there.disk.put("models/m/variables/data", b"2")
    there.build(OF_FOLDER)
    there.disk.put("models/m/variables/data", b"1")

    (finished,) = [event for event in there.build(OF_FOLDER).events if isinstance(event, ActionFinished)]

    expected = f"models/m changed: variables/data ({short(b'2')} → {short(b'1')})"
    assert (finished.status, finished.reasons) == ("restored", (expected,))


def test_of_many_files_the_first_few_are_named() -> None:
    there = repo({f"data/{number}.jpg": b"a" for number in range(9)})
    plan = graph(action("convert m", "data"))
    there.build(plan)
    there.disk.take_away("data")
    there.disk.put("data/x", b"b")

    dry = there.build(plan, options=DRY)

    gone = ", ".join(f"{number}.jpg is gone" for number in range(SHOWN_FILES))
    assert reasons_of(dry) == [("convert m", (f"data changed: {gone}, and 5 more",))]


@pytest.mark.parametrize("files", [MOST_LISTED, MOST_LISTED + 1])
def test_a_folder_of_too_many_files_is_named_as_a_whole(files: int) -> None:
    there = repo({f"data/{number}.jpg": b"a" for number in range(files)})
    plan = graph(action("convert m", "data"))
    there.build(plan)
    there.disk.put("data/7.jpg", b"b")

    ((_, (line,)),) = reasons_of(there.build(plan, options=DRY))

    was, now = short(b"a"), short(b"b")
    listed = f"data changed: 7.jpg ({was} → {now})"
    assert line == listed if files == MOST_LISTED else re.fullmatch(r"data changed: \w{12} → \w{12}", line)


def test_a_folder_whose_files_nobody_kept_is_named_as_a_whole() -> None:
    # As after an older ovmake, which kept none.
    there = repo(FOLDER)
    there.build(OF_FOLDER)
    there.database._connection.execute("DELETE FROM listings")
    there.disk.put("models/m/variables/data", b"2")

    ((_, (line,)),) = reasons_of(there.build(OF_FOLDER, options=DRY))

    assert re.fullmatch(r"models/m changed: \w{12} → \w{12}", line)


def test_a_name_that_a_terminal_would_obey_is_escaped() -> None:
    there = repo(FOLDER)
    there.build(OF_FOLDER)
    there.disk.put("models/m/\x1b[2J\udc80", b"2")

    dry = there.build(OF_FOLDER, options=DRY)

    assert reasons_of(dry) == [("convert m", ('models/m changed: "\\u001b[2J\\udc80" is new',))]


def test_build_gives_the_reasons_of_the_dry_run_before_it() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb", params={"batch": 1}))
    four = graph(action("convert m", "models/m.pb", params={"batch": 4}))
    there.build(one)

    (foreseen,) = [
        event.reasons
        for event in there.build(four, options=Options(dry_run=True)).events
        if isinstance(event, ActionFinished)
    ]
    (given,) = [event.reasons for event in there.build(four).events if isinstance(event, ActionStarted)]

    assert foreseen == given == ("`batch` changed: 1 → 4",)


def test_restored_action_gives_its_reasons_too() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb", params={"batch": 1}))
    four = graph(action("convert m", "models/m.pb", params={"batch": 4}))
    there.build(one)
    there.build(four)

    (finished,) = [event for event in there.build(one).events if isinstance(event, ActionFinished)]

    assert (finished.status, finished.reasons) == ("restored", ("`batch` changed: 4 → 1",))


def test_force_is_a_reason_beside_the_others() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb"))
    there.build(one)

    built = there.build(one, options=Options(forced=frozenset({"convert"})))

    (started,) = [event for event in built.events if isinstance(event, ActionStarted)]
    assert started.reasons == ("asked for by --force",)


def test_dry_run_changes_nothing() -> None:
    there, _ = plan(batch=4)
    files = dict(there.disk.files)
    traces = there.database.traces()
    now = graph(action("convert m", "models/m.pb", params={"batch": 4}))

    dry = there.build(now, options=Options(dry_run=True))

    assert dry.ran == []
    assert there.disk.files == files
    assert there.database.traces() == traces


def test_the_nearest_result_in_a_remote_cache_is_compared_with() -> None:
    seen = Seen(kind="convert", tools={"openvino": "2026.4"}, params={"batch": 4}, environment={}, inputs={})
    older = replace(seen, tools={"openvino": "2026.3"}, params={"batch": 8})

    assert (
        "convert m: the latest result in the remote cache differs",
        "    `batch` changed: 8 → 4  Ovfile:14",
        "    `openvino` 2026.3 → 2026.4",
    ) == nearest_in_words(BATCH, seen, older, locate)
    assert ("convert m: the remote cache has the result, and a build restores it",) == nearest_in_words(
        BATCH, seen, seen, locate
    )
