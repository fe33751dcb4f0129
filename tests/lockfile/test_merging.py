"""Three-way merge, block by block: who changed what, and what the present inputs confirm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile.conflicts import sides_of
from ovmake.lockfile.inputs import TargetInputs
from ovmake.lockfile.merging import How, locks_of, merge, with_conflicts
from ovmake.lockfile.text import parse, render
from tests.lockfile.locks import LOCKS, block, lock

BASE = lock("a:fp32", "b:fp32")


def now(*blocks: tuple[str, LockedTarget]) -> dict[str, TargetInputs]:
    """Return present inputs: those of blocks."""
    return {name: TargetInputs(one.inputs, one.settings, one.sources) for name, one in blocks}


@given(LOCKS, st.none() | LOCKS)
def test_merging_a_lock_with_itself_is_itself(one: Lock, base: Lock | None) -> None:
    merged = merge(base, (one, one))

    assert (one, (), {"agreed"} if one.targets or (base and base.targets) else set()) == (
        merged.lock,
        merged.must_build,
        set(merged.how.values()),
    )


# Few blocks of few versions, so that sides agree now and then.
_VERSIONS = st.dictionaries(st.sampled_from(["a:fp32", "b:fp32", "c:int8"]), st.integers(0, 2))
_FEW = _VERSIONS.map(lambda found: Lock(targets={name: block(name, version) for name, version in found.items()}))
_PRESENT = st.none() | _VERSIONS.map(lambda found: now(*((name, block(name, one)) for name, one in found.items())))


@given(st.none() | _FEW, _FEW, _FEW, _PRESENT)
def test_it_does_not_matter_which_side_is_ours(
    base: Lock | None, ours: Lock, theirs: Lock, present: dict[str, TargetInputs] | None
) -> None:
    one, other = merge(base, (ours, theirs), present), merge(base, (theirs, ours), present)

    assert (one.lock, one.how, one.must_build) == (other.lock, other.how, other.must_build)


@given(_FEW, _FEW)
def test_if_one_side_changed_nothing_the_other_wins_whole(base: Lock, ours: Lock) -> None:
    merged = merge(base, (ours, base))

    assert (ours, {}) == (merged.lock, merged.undecided)


@given(st.none() | _FEW, _FEW, _FEW, _PRESENT)
def test_each_block_of_a_merge_is_a_block_of_a_side(
    base: Lock | None, ours: Lock, theirs: Lock, present: dict[str, TargetInputs] | None
) -> None:
    merged = merge(base, (ours, theirs), present)

    for name, found in merged.lock.targets.items():
        assert found in (ours.targets.get(name), theirs.targets.get(name))
    assert (present is None) or merged.undecided == {}


@given(_FEW, _FEW, _FEW)
def test_conflict_text_is_of_both_sides_again(base: Lock, ours: Lock, theirs: Lock) -> None:
    merged = merge(base, (ours, theirs))
    text = with_conflicts(merged)

    if not merged.undecided:
        assert text == render(merged.lock)
        return
    found = sides_of(text, file="Ovfile.lock")
    for name, (mine, other) in merged.undecided.items():
        assert (mine, other) == (parse(found.ours).targets.get(name), parse(found.theirs).targets.get(name))


@pytest.mark.parametrize(
    ("ours", "theirs", "how"),
    [
        ({"a": 2}, {}, "changed"),
        ({}, {"a": 2}, "changed"),
        ({"a": 2}, {"a": 2}, "agreed"),
        ({"a": 2}, {"a": 3}, "undecided"),
    ],
)
def test_side_that_changed_a_block_wins(ours: dict[str, int], theirs: dict[str, int], how: How) -> None:
    merged = merge(BASE, (lock("a:fp32", "b:fp32", **ours), lock("a:fp32", "b:fp32", **theirs)))

    assert how == merged.how["a:fp32"]
    assert "agreed" == merged.how["b:fp32"]
    assert merged.must_build == (("a:fp32",) if how == "undecided" else ())


def test_block_that_one_side_deleted_and_the_other_left_alone_is_deleted() -> None:
    merged = merge(BASE, (lock("b:fp32"), BASE))

    assert ({"b:fp32"}, "deleted") == (set(merged.lock.targets), merged.how["a:fp32"])


def test_block_that_one_side_deleted_and_the_other_changed_is_undecided() -> None:
    merged = merge(BASE, (lock("b:fp32"), lock("a:fp32", "b:fp32", a=2)))

    assert {"a:fp32": (None, block("a:fp32", 2))} == merged.undecided


def test_renamed_model_is_a_deletion_and_an_addition() -> None:
    merged = merge(BASE, (lock("b:fp32", "new:fp32"), lock("a:fp32", "b:fp32", b=2)))

    assert lock("b:fp32", "new:fp32", b=2) == merged.lock


def test_present_inputs_decide_whoever_has_them() -> None:
    ours, theirs = lock("a:fp32", a=2), lock("a:fp32", a=3)

    for right in (2, 3):
        merged = merge(BASE, (ours, theirs), now(("a:fp32", block("a:fp32", right))))
        assert (block("a:fp32", right), "confirmed", ()) == (
            merged.lock.targets["a:fp32"],
            merged.how["a:fp32"],
            merged.must_build,
        )


def test_if_neither_side_is_of_the_present_inputs_the_target_must_be_built() -> None:
    merged = merge(BASE, (lock("a:fp32", a=2), lock("a:fp32", a=3)), now(("a:fp32", block("a:fp32", 4))))

    assert ({}, "refused", ("a:fp32",)) == (dict(merged.lock.targets), merged.how["a:fp32"], merged.must_build)


def test_what_both_agree_on_stays_and_must_be_built_if_it_is_stale() -> None:
    merged = merge(None, (BASE, BASE), now(("a:fp32", block("a:fp32", 4)), ("b:fp32", block("b:fp32"))))

    assert (BASE, ("a:fp32",)) == (merged.lock, merged.must_build)


def test_mixed_block_is_never_confirmed() -> None:
    # A textual merge took `inputs` of one side and a source of the other.
    mixed = replace(block("a:fp32", 2), sources=block("a:fp32", 3).sources)

    merged = merge(None, (Lock(targets={"a:fp32": mixed}), lock()), now(("a:fp32", block("a:fp32", 2))))

    assert ({}, ("a:fp32",)) == (dict(merged.lock.targets), merged.must_build)


@pytest.mark.parametrize("present", [None, now(("a:fp32", block("a:fp32")))], ids=["unknown", "known"])
def test_of_two_machines_that_built_the_same_inputs_the_one_with_newer_tools_wins(
    present: dict[str, TargetInputs] | None,
) -> None:
    # 10 is newer than 9, though not as text.
    old = replace(block("a:fp32"), versions={"openvino": "2026.9.0"}, drop=0.1)
    new = replace(block("a:fp32"), versions={"openvino": "2026.10.0"}, drop=0.2)

    for sides in ((old, new), (new, old)):
        merged = merge(Lock(), tuple(Lock(targets={"a:fp32": one}) for one in sides), present)
        assert new == merged.lock.targets["a:fp32"]


def test_text_with_two_blocks_of_a_target_is_of_two_locks() -> None:
    text = render(lock("a:fp32")) + render(lock("a:fp32", "b:fp32", a=2))

    found = locks_of(text, file="Ovfile.lock")

    assert (lock("a:fp32", "b:fp32"), lock("a:fp32", "b:fp32", a=2)) == found


def test_block_that_cannot_be_read_is_of_no_side() -> None:
    text = render(lock("a:fp32", "b:fp32")).replace('["b:fp32"]\ninputs', '["b:fp32"]\ninput')

    assert (lock("a:fp32"),) == locks_of(text, file="Ovfile.lock")
