"""name-layers where nothing can be named: the search stays as it is, and nothing fails (else: e2e/test_searched.py)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.codec import encode_object, load, save
from ovmake.contracts.files.search import Search, SearchedLayer
from ovmake.contracts.params.model import ConvertParams, NameLayersParams
from ovmake.workers.ipc.protocol import Request

pytestmark = pytest.mark.heavy

LAYER = SearchedLayer(name="convolution.8", type="Convolution", share=0.9)
NOTHING_TO_NAME = Search(
    layers=2, int8=1, reverted=(), worst=(), trials=(), kept=True, hopeless=False, ended="", inferences=8
)


def named(folder: Path, search: Search) -> tuple[dict[str, object], Search]:
    """Return the facts and the search that name-layers makes of one, for an IR whose source is damaged."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as ops

    from ovmake.workers.quantization.control.naming import name_layers

    given = ops.parameter([1, 4], np.float32, name="x")
    ov.save_model(ov.Model([ops.relu(given)], [given], "m"), folder / "m.xml", compress_to_fp16=False)
    (folder / "saved_model.pb").write_bytes(b"no graph")
    save(search, str(folder / "search"))
    facts = name_layers(
        Request(
            id=1,
            kind="name-layers",
            params=encode_object(NameLayersParams(converted=ConvertParams(), seed=0)),
            inputs={
                "xml": str(folder / "m.xml"),
                "bin": str(folder / "m.bin"),
                "source": str(folder),
                "search": str(folder / "search"),
            },
            outputs={"search": str(folder / "named")},
            log=str(folder / "log"),
        )
    )
    return facts, load(Search, str(folder / "named"), "search")


def test_layers_of_a_source_that_cannot_be_frozen_keep_the_names_of_the_ir(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = replace(NOTHING_TO_NAME, reverted=(LAYER,), worst=(LAYER,))

    assert ({"named": 0}, search) == named(tmp_path, search)
    assert capsys.readouterr().err.startswith("the layers keep the names of the IR: ")


def test_without_layers_to_name_nobody_asks_tensorflow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ({"named": 0}, NOTHING_TO_NAME) == named(tmp_path, NOTHING_TO_NAME)
    assert "" == capsys.readouterr().err
    assert not (tmp_path / "log").exists()
