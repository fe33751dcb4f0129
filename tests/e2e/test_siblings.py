"""A model beside another that computes the same: what becomes of each does not depend on what was built before.

Over a dataset, TensorFlow's outputs are shared by what sources compute, that is by their fingerprint. A damaged copy of
a sound model may have its fingerprint; it fails all the same, as it does alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ovmake.sources.fingerprint import fingerprint
from tests.e2e.conftest import Repo, Result
from tests.e2e.tiny import SHAPE, saved_model
from tests.graphdefs import FLOAT, graph_def, message, node
from tests.once import copy_of
from tests.workers.conftest import sources_once

pytestmark = pytest.mark.heavy

OVFILE = """\
[defaults]
precisions = ["fp32"]
accuracy.dataset = "val"

[datasets.val]
path = "val.npz"

[models.damaged]
source = "damaged"

[models.sound]
source = "sound"
"""
# No output needs it, OpenVINO leaves it out, and TensorFlow has no such operation: a flipped bit of `SaveV2`.
UNKNOWN = node("save", "SaweV2")
# The same of an operation that TensorFlow has: a model of its own bytes that is as good as the sound one.
UNUSED = node("save", "NoOp")


def repo(folder: Path, extra: bytes = UNKNOWN) -> Repo:
    """Return a repo with a sound model and a copy with a node more, and a dataset for both."""
    (folder / "Ovfile").write_text(OVFILE)
    np.savez(folder / "val.npz", x=np.random.default_rng(0).random((5, 4), dtype=np.float32))
    for name, nodes in {"sound": (), "damaged": (extra,)}.items():
        (folder / name).mkdir()
        (folder / name / "saved_model.pb").write_bytes(saved_model(3.0, *nodes))
    return Repo(folder=folder)


def verdict(result: Result) -> tuple[dict[str, str], list[str]]:
    """Return what became of the targets, and what was said of those that failed."""
    failed = [event["diagnostic"] for event in result.events if event.get("diagnostic")]
    return result.targets, [f"{told['code']}: {told['message'].partition(' in binary')[0]}" for told in failed]


REFUSED = "op-refused: convert damaged: `damaged` does more than compute: "
UNKNOWN_OP = "SaweV2 is not an operation of TensorFlow's that ovmake knows"
FAILED = [f"{REFUSED}`saved_model.pb` [serve], node `save`: {UNKNOWN_OP}"]


def test_the_damaged_copy_has_the_fingerprint_of_the_sound_model(tmp_path: Path) -> None:
    made = repo(tmp_path)

    assert fingerprint(made.folder / "sound") == fingerprint(made.folder / "damaged")


@pytest.mark.parametrize("before", [(), ("sound",), ("damaged",)], ids=["nothing", "sound", "damaged"])
def test_damaged_copy_fails_whatever_was_built_before(tmp_path: Path, before: tuple[str, ...]) -> None:
    made = repo(tmp_path)
    if before:
        made.build(*before)

    result = made.build("-k", "damaged")
    both = made.build("-k")

    assert ({"damaged:fp32": "failed"}, FAILED) == verdict(result)
    assert FAILED == verdict(both)[1]
    assert "failed" == both.targets["damaged:fp32"]
    assert ["sound"] == [path.name for path in (tmp_path / "build").iterdir()]


def test_model_that_is_damaged_after_it_was_built_fails_and_what_is_published_stays(tmp_path: Path) -> None:
    made = repo(tmp_path)
    made.build("sound")
    before = made.outputs()
    shutil.copy(tmp_path / "damaged/saved_model.pb", tmp_path / "sound/saved_model.pb")

    result = made.build("sound")

    assert {"sound:fp32": "failed"} == result.targets
    assert before == made.outputs()


def test_sound_copy_shares_the_reference_once_its_own_bytes_were_loaded(tmp_path: Path) -> None:
    made = repo(tmp_path, UNUSED)
    made.build("sound")

    result = made.build("damaged")

    assert {"damaged:fp32": "built"} == result.targets
    assert ["check-source damaged", "convert damaged"] == [
        name for name in result.ran if name.startswith(("check-source", "convert", "reference"))
    ]
    assert "reference damaged" in result.actions("restored")


def test_source_that_cannot_run_seeded_inputs_shares_nothing(tmp_path: Path) -> None:
    """Seeded whole numbers go up to 9, and this table has four rows."""
    made = repo(tmp_path)
    np.savez(tmp_path / "val.npz", x=np.array([[0, 3], [1, 2]], dtype=np.int32))
    for name, nodes in {"sound": (), "damaged": (UNUSED,)}.items():
        shutil.rmtree(tmp_path / name)
        (tmp_path / name).write_bytes(looking_up(*nodes))

    assert {"sound:fp32": "built"} == made.build("sound").targets
    result = made.build("damaged")

    assert {"damaged:fp32": "built"} == result.targets
    assert "reference damaged" in result.ran


def test_damaged_file_is_told_by_its_name_and_the_sound_sibling_is_not_blamed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The frameworks' own words are "Detected at node save/RestoreV2", or about where a name ends."""
    models = sources_once(tmp_path_factory)
    for name in ("sound", "data", "index", "restored"):
        copy_of(models / ("checkpoint" if name == "restored" else "tf1"), tmp_path / name)
    for path in ("data/variables/variables.data-00000-of-00001", "restored/model-10.data-00000-of-00001"):
        flip(tmp_path / path)
    flip(tmp_path / "index/variables/variables.index")
    sources = {"sound": "sound", "data": "data", "index": "index", "restored": "restored/model-10.meta"}
    tables = "".join(f'[models.{name}]\nsource = "{path}"\n' for name, path in sources.items())
    (tmp_path / "Ovfile").write_text(f'[defaults]\nprecisions = ["fp32"]\n{tables}')
    made = Repo(folder=tmp_path)
    made.build("sound")

    targets, said = verdict(made.build("-k"))

    assert {"data:fp32", "index:fp32", "restored:fp32"} == {name for name, what in targets.items() if what == "failed"}
    told = sorted(
        message.partition(" is damaged: ")[2].partition(": `")[0].partition(" at byte")[0] for message in said
    )
    assert [
        "`model-10.data-00000-of-00001` has a value that does not match its checksum",
        "`variables.data-00000-of-00001` has a value that does not match its checksum",
        "`variables.index` has a block",
    ] == told


def flip(path: Path) -> None:
    """Flip a bit in the first value, or key."""
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)


def looking_up(*extra: bytes) -> bytes:
    """Encode a frozen graph that looks rows up in a table of four."""
    whole, shape = message((6, 3)), message((2, message((1, 2))))
    table = message((1, 1), (2, message((2, message((1, 4))))), (4, np.arange(4, dtype=np.float32).tobytes()))
    axis = message((1, 3), (2, b""), (4, bytes(4)))
    return graph_def(
        node("x", "Placeholder", dtype=whole, shape=message((7, message((2, message((1, (1 << 64) - 1)))) + shape))),
        node("table", "Const", dtype=FLOAT, value=message((8, table))),
        node("axis", "Const", dtype=whole, value=message((8, axis))),
        node("y", "GatherV2", "table", "x", "axis", Tparams=FLOAT, Tindices=whole, Taxis=whole),
        *extra,
    )


def test_frozen_graph_is_loaded_as_well(tmp_path: Path) -> None:
    """A node that wants to be placed where a node is that is not there: nothing that it computes."""
    made = repo(tmp_path)
    for name, nobody in {"sound": b"", "damaged": b"loc:@nobody"}.items():
        shutil.rmtree(tmp_path / name)
        placed = {"_class": message((1, message((2, nobody))))} if nobody else {}
        (tmp_path / name).write_bytes(
            graph_def(
                node("x", "Placeholder", dtype=FLOAT, shape=message((7, SHAPE))),
                node("y", "Neg", "x", T=FLOAT, **placed),
            )
        )
    assert fingerprint(tmp_path / "sound") == fingerprint(tmp_path / "damaged")
    made.build("sound")

    targets, said = verdict(made.build("-k", "damaged"))

    assert {"damaged:fp32": "failed"} == targets
    assert "cannot load `damaged`" in said[0]
