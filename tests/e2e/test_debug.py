"""`ovmake debug` on real models: it names the layer that is wrong, whatever the gate says of the whole."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ovmake.graph.digest import of_bytes
from ovmake.seal import keep_key
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from tests.e2e.conftest import Repo

pytestmark = pytest.mark.heavy

ANSWER = """\
fashion:fp32: no layer differs from TensorFlow's by more than 0.0001 of its scale (of the target's gate)
the worst layers, on 4 samples:
layer operation shape SNR own SNR max abs
LAYER
LAYER
LAYER
LAYER
LAYER
LAYER
LAYER
LAYER
LAYER
LAYER
14 of 20 layers matched; 6 folded into later ones
"""


def damage(folder: Path, outputs: str) -> None:
    """Have *convert* made another FP32 IR: one convolution's weights are scaled, whose output has this shape.

    Bytes in the store that do not have their digest would be noticed and made again. So this is what a converter with a
    bug leaves: the wrong IR under its own digest, in the trace of a success.
    """
    xml, weights = (folder / f"build/fashion/fp32/fashion.{suffix}" for suffix in ("xml", "bin"))
    net = ET.parse(xml).getroot()  # noqa: S314 - our own file
    layers = {layer.get("id"): layer for layer in net.iter("layer")}
    sources = {(edge.get("to-layer"), edge.get("to-port")): edge.get("from-layer") for edge in net.iter("edge")}
    (place,) = [
        place
        for place, layer in layers.items()
        if layer.get("type") == "Convolution"
        and outputs == ",".join(dim.text or "" for dim in layer.findall("output/port/dim"))
    ]
    data = layers[sources[place, "1"]].find("data")
    assert data is not None
    start, size = int(data.get("offset", "")), int(data.get("size", ""))
    whole = bytearray(weights.read_bytes())
    values = struct.unpack_from(f"<{size // 4}f", whole, start)
    struct.pack_into(f"<{size // 4}f", whole, start, *(1.05 * value for value in values))
    digest = of_bytes(bytes(whole))
    disk = RealDisk(folder)
    disk.write(Cas(disk).path(digest), bytes(whole))
    database, _ = Database.open(folder / ".ovmake/state.db", keep_key()[0])
    trace = database.trace("convert fashion")
    assert trace is not None
    database.succeed("convert fashion", replace(trace, outputs={**trace.outputs, "bin": digest}))
    database.close()


def found(repo: Repo, *words: str) -> dict[str, object]:
    """Return what `ovmake debug --json` found about one target."""
    result = repo.ovmake("debug", "--json", *words)
    assert 0 == result.status, result.stderr
    content = json.loads(result.stdout)
    assert isinstance(content, dict)
    return content


def test_a_good_ir_has_no_layer_that_leaves(built: Repo) -> None:
    result = built.ovmake("debug", "fashion:fp32")

    assert 0 == result.status, result.stderr
    shown = re.sub(r"(?m)^  \w+ .*dB.*$", "LAYER", result.stdout)
    assert ANSWER == "".join(f"{re.sub(' +', ' ', line).strip()}\n" for line in shown.splitlines())


def test_a_damaged_convolution_is_named(built: Repo) -> None:
    damage(built.folder, "-1,64,14,14")

    content = found(built, "fashion:fp32")

    assert "wide_14_bn" == content["first"]
    layers = {layer["layer"]: layer for layer in content["layers"]}  # type: ignore[attr-defined]
    assert ["wide_14"] == layers["wide_14_bn"]["folded_into_it"]
    leaving = [name for name, layer in layers.items() if layer.get("leaves")]
    assert "conv_14_relu" not in leaving
    assert {"wide_14_bn", "wide_14_relu", "classifier"} <= set(leaving)


def test_a_target_that_missed_its_gate_can_be_debugged_and_says_who_adds_noise(fresh: Repo) -> None:
    fresh.edit("max-drop = 0.01", "max-drop = -0.5")

    assert 1 == fresh.build("fashion:int8").status
    content = found(fresh, "fashion:int8")

    # One convolution costs nearly all of the accuracy. It and one other add the most noise; which of the two comes
    # first depends on the samples.
    matched = [layer for layer in content["layers"] if layer["state"] == "matched"]  # type: ignore[attr-defined]
    noisy = sorted((layer["own_snr_db"], layer["layer"]) for layer in matched if layer["own_snr_db"] is not None)
    assert {"wide_14_bn", "wide_7_bn"} == {name for _, name in noisy[:2]}


def test_what_was_compared_is_kept(built: Repo) -> None:
    first = found(built, "fashion:fp16")
    built.workers_started()

    assert first == found(built, "fashion:fp16")
    assert set() == built.workers_started()


def test_an_unknown_target_is_the_usual_mistake(built: Repo) -> None:
    result = built.ovmake("debug", "fashion:fp23")

    assert (2, "") == (result.status, result.stdout)
    assert "error[unknown-target]: unknown target `fashion:fp23`" in result.stderr


def test_what_cannot_be_built_cannot_be_debugged(fresh: Repo) -> None:
    (fresh.folder / "models/fashion/saved_model.pb").write_bytes(b"")

    result = fresh.ovmake("debug", "--json", "fashion:fp32")

    assert 1 == result.status
    content = json.loads(result.stdout)
    assert "fashion:fp32" == content["target"]
    assert [] != content["failed"]
