"""What `explain` says on the real example, whole; and that `-n`, `--json` and the build itself say the same."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import Repo

pytestmark = pytest.mark.heavy


def explained(repo: Repo, *targets: str) -> str:
    """Return what `explain` prints, with DIGEST for digests."""
    result = repo.ovmake("explain", *targets)
    assert (0, "") == (result.status, result.stderr)
    return re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", result.stdout)


def new_weights(repo: Repo) -> None:
    """Change a byte in the middle of the weights, and put a file beside them."""
    weights = repo.folder / "models/fashion/variables/variables.data-00000-of-00001"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    (repo.folder / "models/fashion/labels.txt").write_text("shirt\n")
    (repo.folder / "models/fashion/fingerprint.pb").unlink()


FOLDER_CHANGED = """\
convert fashion: would run
    models/fashion changed: fingerprint.pb is gone, labels.txt is new, \
variables/variables.data-00000-of-00001 (DIGEST → DIGEST)  Ovfile:17
check-samples fashion: may run
    `interface` of convert fashion may change when convert fashion runs
check-source fashion: would run
    models/fashion changed: fingerprint.pb is gone, labels.txt is new, \
variables/variables.data-00000-of-00001 (DIGEST → DIGEST)  Ovfile:17
    `interface` of convert fashion may change when convert fashion runs
reference fashion: would run
    the computation of models/fashion changed: DIGEST → DIGEST  Ovfile:17
    `interface` of convert fashion may change when convert fashion runs
    `answers` of check-source fashion may change when check-source fashion runs
evaluate fashion:fp32: may run
    `xml`, `bin` and `interface` of convert fashion may change when convert fashion runs
    `outputs`, `truth`, `plan` and `facts` of reference fashion may change when reference fashion runs
gate fashion:fp32: may run
    `evaluation` of evaluate fashion:fp32 may change when evaluate fashion:fp32 runs
publish fashion:fp32: would run
    the computation of models/fashion changed: DIGEST → DIGEST  Ovfile:17
    `xml`, `bin` and `interface` of convert fashion may change when convert fashion runs
    `evaluation` of evaluate fashion:fp32 may change when evaluate fashion:fp32 runs
    `verdict` of gate fashion:fp32 may change when gate fashion:fp32 runs
"""


def test_changed_folder_is_told_file_by_file_and_everywhere_the_same(built: Repo) -> None:
    new_weights(built)

    plan = built.ovmake("build", "-n", "fashion:fp32")
    told = built.ovmake("explain", "fashion:fp32")
    as_json = built.ovmake("explain", "--json", "fashion:fp32")
    ran = built.build("fashion:fp32")

    assert FOLDER_CHANGED == re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", told.stdout)
    assert told.stdout == re.sub(r", about [^\n]* s$", "", plan.stderr, flags=re.MULTILINE)  # which `-n` adds
    foreseen = [event for event in as_json.events if event["event"] == "action-finished"]
    assert told.stdout == "".join(
        f"{event['action']} {event['target']}: {event['status'].replace('-', ' ')}\n"
        + "".join(f"    {reason}\n" for reason in event["reasons"])
        for event in foreseen
    )
    started = {event["action"]: event["reasons"] for event in ran.events if event["event"] == "action-started"}
    assert foreseen[0]["reasons"] == started["convert"]


def test_going_back_would_be_restored_for_the_same_reasons_turned_round(built: Repo) -> None:
    built.edit("samples = 300", "samples = 200")
    assert 0 == built.build("fashion:int8").status
    built.edit("samples = 200", "samples = 300")

    told = explained(built, "fashion:int8")

    assert told.startswith(
        "check-calibration fashion:int8: would be restored from the action cache\n"
        "    `samples` changed: 200 → 300  Ovfile:35\n"
        "quantize fashion:int8: would be restored from the action cache\n"
        "    `samples` changed: 200 → 300  Ovfile:35\n"
    )


def test_every_kind_of_edit_is_told_with_its_line(built: Repo) -> None:
    built.edit("mean = 72.94\n", "")
    built.edit("max-drop = 0.01", "max-drop = 0.02")
    built.edit("samples = 300", 'samples = 300\nignored.types = ["Softmax"]')
    (built.folder / "build/fashion/fp16/fashion.bin").unlink()
    (built.folder / "build/fashion/fp16/fashion.xml").write_text("edited")

    told = explained(built)

    assert "convert fashion: would run\n    `inputs.image.mean` changed: [72.94] → not set  Ovfile:22\n" in told
    assert (
        "gate fashion:int8: would run\n"
        "    `accuracy.max-drop` changed: 0.01 → 0.02  Ovfile:29\n"
        "    `evaluation` of evaluate fashion:int8 may change when evaluate fashion:int8 runs\n"
    ) in told
    assert (
        "quantize fashion:int8: would run\n"
        '    `ignored.types` changed: not set → ["Softmax"]  Ovfile:35\n'
        "    `xml`, `bin` and `interface` of convert fashion may change when convert fashion runs\n"
    ) in told
    assert (
        "publish fashion:fp16: would run\n"
        "    `inputs.image.mean` changed: [72.94] → not set  Ovfile:22\n"
        "    `accuracy.max-drop` changed: 0.01 → 0.02  Ovfile:29\n"
        "    build/fashion/fp16/fashion.xml changed after it was published\n"
        "    build/fashion/fp16/fashion.bin is missing\n"
        "    `xml` and `bin` of compress fashion:fp16 may change when compress fashion:fp16 runs\n"
    ) in told
