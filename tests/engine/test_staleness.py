"""Why an action must run: one test per kind of reason, and what the answer never depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.contracts.values import JsonValue
from ovmake.engine.staleness import Decision, OutputState, Reason, decide
from ovmake.graph.digest import Digest, of_bytes, of_tree
from ovmake.graph.trace import Listing, Seen, SeenInput, Trace
from tests.engine.small import action, graph, repo

A, B = of_bytes(b"a"), of_bytes(b"b")
SEEN = Seen(
    kind="convert",
    tools={"openvino": "2026.4.1"},
    params={"batch": 1},
    environment={"isa": "avx2"},
    inputs={"source": SeenInput(label="models/m.pb", digest=A)},
)


def trace(seen: Seen = SEEN) -> Trace:
    return Trace(seen=seen, outputs={"xml": A}, facts={}, seconds=1.0)


def test_without_a_trace_it_was_never_built() -> None:
    assert decide(SEEN, None, {}) == Decision(reasons=(Reason(kind="never-built"),))


def test_what_it_saw_last_is_fresh() -> None:
    decision = decide(SEEN, trace(), {})

    assert decision == Decision(reasons=())
    assert decision.fresh
    assert not decision.certain


def test_a_source_with_other_bytes_is_a_reason() -> None:
    now = replace(SEEN, inputs={"source": SeenInput(label="models/m.pb", digest=B)})

    expected = Reason(kind="input", name="models/m.pb", old=str(A), new=str(B))
    assert decide(now, trace(), {}).reasons == (expected,)


def test_a_source_of_the_same_bytes_under_another_name_is_none() -> None:
    now = replace(SEEN, inputs={"source": SeenInput(label="models/renamed.pb", digest=A)})

    assert decide(now, trace(), {}).fresh


def test_an_input_that_came_or_went_is_a_reason() -> None:
    more = replace(SEEN, inputs={**SEEN.inputs, "dataset": SeenInput(label="data/val.npz", digest=B)})

    assert decide(more, trace(), {}).reasons == (Reason(kind="input", name="data/val.npz", old="absent", new=str(B)),)
    assert decide(SEEN, trace(more), {}).reasons == (
        Reason(kind="input", name="data/val.npz", old=str(B), new="absent"),
    )


def test_another_source_in_place_of_one_says_which_it_was() -> None:
    now = replace(SEEN, inputs={"source": SeenInput(label="models/other.pb", digest=B)})

    expected = Reason(kind="input", name="models/other.pb", old=str(A), new=str(B), was="models/m.pb")
    assert decide(now, trace(), {}).reasons == (expected,)


listings = st.dictionaries(st.sampled_from(["a", "b/c", "d"]), st.sampled_from([A, B]))


@given(listings, listings)
def test_a_folder_names_the_files_that_differ_and_no_others(before: Listing, now: Listing) -> None:
    was, is_ = (
        replace(SEEN, inputs={"source": SeenInput(label="models/m", digest=of_tree(files), files=files)})
        for files in (before, now)
    )

    reasons = decide(is_, trace(was), {}).reasons

    differing = sorted(path for path in {*before, *now} if before.get(path) != now.get(path))
    assert [change.path for reason in reasons for change in reason.files] == differing
    for change in (change for reason in reasons for change in reason.files):
        assert change.old == (str(before[change.path]) if change.path in before else None)
        assert change.new == (str(now[change.path]) if change.path in now else None)


@pytest.mark.parametrize("known", ["before", "now"])
def test_a_folder_whose_files_are_known_once_only_names_none(known: str) -> None:
    was, is_ = (
        replace(SEEN, inputs={"source": SeenInput(label="models/m", digest=digest, files={"a": A} if kept else None)})
        for digest, kept in ((A, known == "before"), (B, known == "now"))
    )

    assert decide(is_, trace(was), {}).reasons == (Reason(kind="input", name="models/m", old=str(A), new=str(B)),)


def test_what_was_never_built_has_no_other_reason_but_force() -> None:
    now = replace(SEEN, inputs={"source": SeenInput(label="`xml` of convert m", digest=None)})

    assert decide(now, None, {}, forced=True).reasons == (Reason(kind="forced"), Reason(kind="never-built"))


@pytest.mark.parametrize(
    ("before", "now", "old", "new"),
    [
        (1, 4, "1", "4"),
        (1, True, "1", "true"),
        (1, 1.0, "1", "1.0"),
        (1, "1", "1", '"1"'),
        (0.0, -0.0, "0.0", "-0.0"),
        ((1, 2), (1, 2, 3), "[1, 2]", "[1, 2, 3]"),
        (("a",), ("a", "b"), '["a"]', '["a", "b"]'),
    ],
)
def test_a_setting_of_another_value_or_type_is_a_reason(before: JsonValue, now: JsonValue, old: str, new: str) -> None:
    was, is_ = (replace(SEEN, params={"batch": value}) for value in (before, now))

    assert decide(is_, trace(was), {}).reasons == (Reason(kind="param", name="batch", old=old, new=new),)


def test_a_setting_that_came_or_went_is_a_reason() -> None:
    without = replace(SEEN, params={})

    assert decide(without, trace(), {}).reasons == (Reason(kind="param", name="batch", old="1", new="not set"),)
    assert decide(SEEN, trace(without), {}).reasons == (Reason(kind="param", name="batch", old="not set", new="1"),)


def test_another_version_of_a_tool_is_a_reason() -> None:
    now = replace(SEEN, tools={"openvino": "2026.5.0"})

    expected = Reason(kind="tool", name="openvino", old='"2026.4.1"', new='"2026.5.0"')
    assert decide(now, trace(), {}).reasons == (expected,)


def test_another_digest_of_a_room_is_a_reason() -> None:
    was, now = (replace(SEEN, code={"ovmake/verdicts": "0", "ovmake/sources": digest}) for digest in "ab")

    expected = Reason(kind="code", name="ovmake/sources", old='"a"', new='"b"')
    assert decide(now, trace(was), {}).reasons == (expected,)


def test_another_machine_is_a_reason() -> None:
    now = replace(SEEN, environment={"isa": "avx2 avx512f"})

    expected = Reason(kind="environment", name="isa", old='"avx2"', new='"avx2 avx512f"')
    assert decide(now, trace(), {}).reasons == (expected,)


@pytest.mark.parametrize(("state", "kind"), [("missing", "output-missing"), ("edited", "output-edited")])
def test_an_output_that_is_not_as_it_was_left_is_a_reason(state: OutputState, kind: str) -> None:
    (reason,) = decide(SEEN, trace(), {"build/m/m.xml": state}).reasons

    assert (reason.kind, reason.name) == (kind, "build/m/m.xml")


def test_an_input_that_is_not_known_yet_is_pending_and_not_certain() -> None:
    now = replace(SEEN, inputs={"source": SeenInput(label="`xml` of convert m", digest=None)})
    decision = decide(now, trace(), {})

    assert decision.reasons == (Reason(kind="pending", name="`xml` of convert m"),)
    assert not decision.certain


def test_with_another_reason_beside_the_pending_one_it_is_certain() -> None:
    now = replace(SEEN, params={}, inputs={"source": SeenInput(label="`xml` of convert m", digest=None)})

    assert decide(now, trace(), {}).certain


def test_all_reasons_are_given_and_in_a_fixed_order() -> None:
    now = Seen(
        kind="convert",
        tools={"openvino": "2026.5.0"},
        params={"batch": 2},
        environment={"isa": "avx512f"},
        code={"ovmake/sources": "a"},
        inputs={"source": SeenInput(label="models/m.pb", digest=B)},
    )
    decision = decide(now, trace(), {"build/m/m.xml": "missing", "build/m/m.bin": "edited"}, forced=True)

    kinds = [reason.kind for reason in decision.reasons]
    assert kinds == ["forced", "input", "param", "code", "tool", "environment", "output-missing", "output-edited"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab", []', max_size=6),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
digests = st.sampled_from([A, B, Digest(A.sha256, 9)])
seens = st.builds(
    Seen,
    kind=st.just("convert"),
    tools=st.dictionaries(st.sampled_from(["openvino", "nncf"]), st.sampled_from(["1", "2", 'a"b'])),
    params=st.dictionaries(st.sampled_from(["batch", "tags"]), values),
    environment=st.dictionaries(st.just("isa"), st.sampled_from(["avx2", "amx"])),
    code=st.dictionaries(st.just("ovmake/sources"), st.sampled_from(["a", "b"])),
    inputs=st.dictionaries(
        st.sampled_from(["source", "dataset"]), st.builds(SeenInput, label=st.sampled_from("pq"), digest=digests)
    ),
)


@given(seens, seens)
def test_fresh_is_the_same_as_having_the_same_action_digest(before: Seen, now: Seen) -> None:
    assert decide(now, trace(before), {}).fresh == (before.digest == now.digest)


@given(values, values)
def test_two_values_of_a_setting_are_a_reason_if_and_only_if_they_change_the_digest(
    before: JsonValue, now: JsonValue
) -> None:
    was, is_ = (replace(SEEN, params={"tags": value}) for value in (before, now))

    assert decide(is_, trace(was), {}).fresh == (was.digest == is_.digest)


def test_a_text_that_looks_like_two_is_not_two() -> None:
    two, one = (replace(SEEN, params={"tags": value}) for value in (("serve", "gpu"), ('serve", "gpu',)))

    assert two.digest != one.digest
    assert not decide(one, trace(two), {}).fresh


@given(seens)
def test_a_trace_survives_the_database(seen: Seen) -> None:
    there_and_back = Trace.from_json(trace(seen).to_json())

    assert there_and_back == trace(seen)
    assert there_and_back.seen.digest == seen.digest


# the same through a build


def test_a_touched_source_is_read_again_and_nothing_runs() -> None:
    there = repo()
    plan = graph(action("convert m", "models/m.pb"))
    there.build(plan)
    there.disk.tick()
    there.disk.touch("models/m.pb")

    again = there.build(plan)

    assert again.statuses == {"convert m": "fresh"}


def test_an_action_is_not_stale_for_a_setting_of_another() -> None:
    there = repo()
    first, second = action("convert m", "models/m.pb"), action("gate m", "convert m", params={"max-drop": 0.01})
    there.build(graph(first, second))

    again = there.build(graph(first, action("gate m", "convert m", params={"max-drop": 0.02})))

    assert again.ran == ["gate m"]


def test_reexport_with_the_same_result_stops_after_the_first_action() -> None:
    # "lossy" makes one of two results; these two contents have the same one.
    there = repo()
    plan = graph(action("lossy m", "models/m.pb"), action("quantize m", "lossy m", place="build/m/m.xml"))
    built = there.build(plan)
    for number in range(20):
        before = built.actions["lossy m"].outputs
        there.disk.tick()
        there.disk.put("models/m.pb", f"export {number}".encode())
        built = there.build(plan)
        if built.actions["lossy m"].outputs == before:
            break

    assert built.ran == ["lossy m"]
    assert built.statuses == {"lossy m": "ran", "quantize m": "fresh"}


def test_an_order_without_an_input_makes_nothing_stale() -> None:
    there = repo()
    first = action("publish m", "models/m.pb")
    second = action("benchmark m", after=("publish m",))
    there.build(graph(first, second))
    there.disk.tick()
    there.disk.put("models/m.pb", b"b0")

    assert there.build(graph(first, second)).statuses == {"publish m": "ran", "benchmark m": "fresh"}
