"""Git's own textual merge of random locks: it never makes a block that nobody wrote."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile.conflicts import has_markers, sides_of
from ovmake.lockfile.inputs import TargetInputs
from ovmake.lockfile.merging import completed, locks_of, merge
from ovmake.lockfile.text import blocks, parse, render
from tests.examples import tries
from tests.lockfile.locks import block, digest

NAMES = ("a:fp16", "a:fp32", "a:int8", "b:fp32", "c:fp32", "d:fp32")
TOOLS = ("2026.4.1", "2999.1")


def made(name: str, sources: int, tools: int, reverted: int) -> LockedTarget:
    """Return a block of some sources, made with some tools: its outputs follow from both."""
    plain = block(name, sources)
    return replace(
        plain,
        outputs={path: digest(path, sources if path.endswith("xml") else (sources, tools)) for path in plain.outputs},
        versions={**plain.versions, "openvino": TOOLS[tools]},
        reverted=tuple(f"layer{number}" for number in range(reverted)),
    )


BLOCKS = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2))


@st.composite
def edited(draw: st.DrawFn, lock: Lock) -> Lock:
    """Return a lock with some blocks made anew, removed or added."""
    targets = dict(lock.targets)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)):
        if name in targets and draw(st.booleans()) and draw(st.booleans()):
            del targets[name]
        else:
            targets[name] = made(name, *draw(BLOCKS))
    return Lock(targets=targets)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Lock, Lock, Lock]:
    """Return a lock, and two that came of it."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    base = Lock(targets={name: made(name, *draw(BLOCKS)) for name in names})
    return base, draw(edited(base)), draw(edited(base))


def merged_by_git(base: Lock, ours: Lock, theirs: Lock, *options: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, lock in (("base", base), ("ours", ours), ("theirs", theirs)):
            Path(folder, name).write_text(render(lock))
        command = ["git", "merge-file", "-p", *options, "ours", "base", "theirs"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert 0 <= done.returncode < 128, done.stderr
    assert bool(done.returncode) == has_markers(done.stdout)
    return done.stdout


def present(*locks: Lock) -> dict[str, TargetInputs]:
    """Return present inputs: those of the last lock that has a block."""
    found = {name: one for lock in locks for name, one in lock.targets.items()}
    return {name: TargetInputs(one.inputs, one.settings, one.sources) for name, one in found.items()}


@pytest.mark.parametrize("style", ["--merge", "--diff3", "--zdiff3"])
@settings(max_examples=tries(daily=25, ci=150, long=3_000), deadline=None)
@given(history=histories())
def test_textual_merge_has_only_blocks_of_a_side(style: str, history: tuple[Lock, Lock, Lock]) -> None:
    base, ours, theirs = history
    text = merged_by_git(base, ours, theirs, *([] if style == "--merge" else [style]))

    texts = sides_of(text, file="Ovfile.lock").all if has_markers(text) else (text,)

    for side in texts:
        for found in blocks(side).blocks:
            assert found.found in (lock.targets.get(found.target) for lock in history)
    if has_markers(text):
        return
    by_block, wrong = merge(base, (ours, theirs)), blocks(text).problems
    # Where both sides added one target, git may put in both blocks: that is a conflict for whoever reads it.
    assert wrong or ({}, by_block.lock) == (by_block.undecided, parse(text))
    assert all(one.code == "lock-conflict" and "has two blocks of" in one.message for one in wrong)


@settings(max_examples=tries(daily=25, ci=150, long=3_000), deadline=None)
@given(history=histories())
def test_conflict_is_merged_to_what_the_present_inputs_are_whichever_side_has_it(
    history: tuple[Lock, Lock, Lock],
) -> None:
    base, ours, theirs = history
    text = merged_by_git(base, ours, theirs)
    if not has_markers(text):
        return
    locks = [lock for side in sides_of(text, file="Ovfile.lock").all for lock in locks_of(side, file="Ovfile.lock")]
    for now in (present(ours, theirs), present(theirs, ours)):
        merged = completed(merge(None, locks, now), (ours, theirs))

        assert () == merged.must_build
        for name, found in merged.lock.targets.items():
            assert found in (lock.targets.get(name) for lock in history)
