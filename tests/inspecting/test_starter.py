"""The Ovfile that `init` writes: it is one, whatever the models are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.inspecting.description import Description, Port
from ovmake.inspecting.starter import Entry, starter
from ovmake.ovfile.parse import parse
from tests.inspecting.models import MISSING, MOBILE, QUANTIZED, UNSUPPORTED


def entry(description: Description | None, name: str = "mobile", reason: str = "") -> Entry:
    return Entry(name=name, source="models/mobile", description=description, reason=reason)


def targets(text: str) -> list[str]:
    return [target.name for target in parse(text, file="Ovfile", inside=lambda _: True).targets]


def test_a_whole_ovfile() -> None:
    broken = entry(UNSUPPORTED, "odd", MISSING.message)

    expected = """\
# Written by `ovmake init`. `ovmake build` makes build/MODEL/PRECISION/MODEL.xml, `ovmake report` says what it was
# worth. Keys that are comments show what can be set; `ovmake inspect MODEL` shows a model, Ovfile.example every key.

version = 1

[defaults]
precisions = ["fp32", "fp16"]    # "int8" needs samples to calibrate with: see below

[models.mobile]    # SavedModel, 14.4 MB, 3,538,984 parameters
source = "models/mobile"
# signature = "features"    # another way to call it
# batch = 1    # of every input; without it, batches stay dynamic
# gives "scores": f32 [-1, 10]
#
# [models.mobile.inputs.image]    # takes f32 [-1, 96, 96, 3]
# mean = [0.0, 0.0, 0.0]
# scale = [1.0, 1.0, 1.0]    # made part of the IR, which then computes (x - mean) / scale

# `models/mobile` cannot be built: OpenVINO has no conversion rule for `Betainc`, `MatrixSolve`
# [models.odd]    # SavedModel, 14.4 MB, 3,538,984 parameters
# source = "models/mobile"

# INT8 needs a few hundred typical samples, and accuracy needs other ones with the right answers:
#
# [datasets.calibration]
# path = "data/calibration.npz"    # an array per model input
#
# [models.mobile]
# precisions = ["fp32", "fp16", "int8"]
# calibration = "calibration"
"""
    assert expected == starter([entry(MOBILE), broken])


def test_it_builds_what_can_be_built() -> None:
    text = starter([entry(MOBILE), entry(UNSUPPORTED, "odd", "why"), entry(QUANTIZED, "tiny"), entry(None, "no", "it")])

    assert ["mobile:fp32", "mobile:fp16", "tiny:fp32", "tiny:fp16"] == targets(text)


@pytest.mark.parametrize("kind", ["mean", "scale", "batch", "shape"])
def test_comments_are_settings_that_fit(kind: str) -> None:
    """Without its `# `, a line is what its comment says."""
    flexible = replace(MOBILE, signatures=(), inputs=(Port(name="the image/1", shape=(-1, -1, -1, 3), type="f32"),))
    lines = starter([entry(flexible)]).splitlines()
    wanted = ("# batch", "# [models.mobile.inputs") if kind == "batch" else ("# [models.mobile.inputs", f"# {kind}")
    chosen = [line.removeprefix("# ") if line.startswith(wanted) else line for line in lines]
    assert chosen != lines

    assert ["mobile:fp32", "mobile:fp16"] == targets("\n".join(chosen))


def test_another_signature_and_other_tags_are_settings() -> None:
    chosen = replace(MOBILE, signature="features", tags=("serve", "gpu"), signatures=())

    text = starter([entry(chosen)])

    assert 'signature = "features"\ntags = ["serve", "gpu"]\n' in text


@pytest.mark.parametrize("name", ['a"b', "a\nsource = 1", "a\\", "ü", "\x1b[2J", "a\u2028b", "\x7f", "]"])
def test_names_out_of_models_cannot_break_out_of_a_comment_or_a_string(name: str) -> None:
    hostile = replace(
        MOBILE,
        inputs=(Port(name=name, shape=(1, 2, 2, 3), type="f32"),),
        outputs=(Port(name=name, shape=None, type="f32"),),
    )
    one = Entry(name="m", source=f"models/{name}", description=hostile)
    other = Entry(name="n", source=f"models/{name}", description=None, reason=f"it is {name}")

    found = parse(starter([one, other]), file="Ovfile", inside=lambda _: True)

    assert {f"models/{name}"} == {target.source for target in found.targets}
    assert {"m"} == {target.model for target in found.targets}
