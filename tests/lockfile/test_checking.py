"""A lock against the present inputs: what is out of date, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.sharing.lock import Lock
from ovmake.lockfile.checking import Finding, check, in_words
from ovmake.lockfile.inputs import TargetInputs, combined
from tests.lockfile.locks import block, digest, lock, sha256


def inputs(name: str = "a:fp32", settings: str = "", **sources: str) -> TargetInputs:
    """Return the inputs of a plain block, with other settings and sources: a digest, "" for none, "-" to leave out."""
    plain = block(name)
    changed = {path.replace("__", "/").replace("_", "."): said for path, said in sources.items()}
    kept = {path: said for path, said in {**plain.sources, **changed}.items() if said != "-"}
    chosen = settings or plain.settings
    return TargetInputs(combined(chosen, kept), chosen, kept)


def said(now: TargetInputs, **changed: object) -> list[str]:
    there = Lock(targets={"a:fp32": replace(block("a:fp32"), **changed)})  # type: ignore[arg-type]
    return [in_words(one) for one in check(there, {"a:fp32": now})]


def test_same_inputs_are_up_to_date() -> None:
    assert [] == said(inputs())


def test_newer_tools_alone_are_up_to_date() -> None:
    assert [] == said(inputs(), versions={"openvino": "2999.1"}, isa="avx1024")


def test_sources_and_settings_that_differ_are_named() -> None:
    assert ["a:fp32 is out of date: `models/a` changed"] == said(inputs(models__a=digest("other")))
    assert ["a:fp32 is out of date: `data/val.npz` does not exist"] == said(inputs(data__val_npz=""))
    assert ["a:fp32 is out of date: `more` is new"] == said(inputs(more=digest("more")))
    assert ["a:fp32 is out of date: `models/a` is no longer used"] == said(inputs(models__a="-"))
    assert ["a:fp32 is out of date: its settings changed"] == said(inputs(settings=sha256("other")))


def test_many_sources_are_counted() -> None:
    more = {f"s{number}": digest(number) for number in range(5)}

    assert ["a:fp32 is out of date: `s0` is new, `s1` is new, `s2` is new, 2 more sources"] == said(inputs(**more))


def test_block_that_a_merge_mixed_is_out_of_date() -> None:
    mixed = said(inputs(), sources=block("a:fp32", 2).sources)

    assert ["a:fp32 is out of date: a merge combined two blocks of it"] == mixed


def test_missing_and_superfluous_blocks_are_named() -> None:
    there = lock("a:fp32", "old:fp32")
    now = {"a:fp32": inputs(), "new:fp32": inputs("new:fp32")}

    assert ["new:fp32 is not in the lock", "old:fp32 is no longer in the Ovfile"] == [
        in_words(one) for one in check(there, now)
    ]
    assert (Finding(target="new:fp32", state="missing"),) == check(there, now, whole=False)
