"""freeze, in real workers: the same source gives the same bytes in any process, and OpenVINO reads them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovmake.sources.recognise import recognise
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request, Response
from tests import warm
from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

FROZEN: dict[str, dict[str, Any]] = {
    "tf2": {},
    "lstm": {},
    "tf1": {"signature": "inner", "tags": ["serve"]},
    "tf1-refused": {},
    "frozen.pb": {},
    "several.keras": {},
    "lstm.keras": {},
    "sequential.h5": {},
    "old.h5": {},
    "old-lstm.h5": {},
    "checkpoint/model-10.meta": {},
    "pipeline/model.meta": {},
}
if importlib.util.find_spec("tf_keras") is None:
    FROZEN = {name: params for name, params in FROZEN.items() if not name.startswith("old")}


def started(folder: Path) -> WorkerProcess:
    return WorkerProcess.start("tensorflow", boot_log=str(folder / "worker.log"))


def freeze(worker: WorkerProcess, source: Path, folder: Path, params: dict[str, Any]) -> Response:
    """Freeze into `<source's name>.pb` and `.json` of a folder."""
    params = {"kind": recognise(source).kind, **params}
    outputs = {"graph": str(folder / f"{source.name}.pb"), "names": str(folder / f"{source.name}.json")}
    log = str(folder / "freeze.log")
    worker.send(Request(id=1, kind="freeze", params=params, inputs={"source": str(source)}, outputs=outputs, log=log))
    response = worker.receive()
    assert response is not None, worker.said()
    return response


@pytest.fixture(scope="module")
def frozen(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of FROZEN, frozen in order by one worker."""
    with warm.here():
        return frozen_in_order(sources, tmp_path_factory.mktemp("frozen"), list(FROZEN))


def frozen_in_order(sources: Path, folder: Path, names: list[str]) -> Path:
    worker = started(folder)
    try:
        for name in names:
            response = freeze(worker, sources / name, folder, FROZEN[name])
            assert response.ok, response
    finally:
        worker.end()
    return folder


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    with warm.here():
        process = started(tmp_path)
    yield process
    process.end()


def digests(folder: Path) -> dict[str, str]:
    made = [path for path in folder.iterdir() if path.suffix in {".pb", ".json"}]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


def test_same_bytes_in_another_process_in_another_order(sources: Path, frozen: Path, tmp_path: Path) -> None:
    # What was loaded before moves TensorFlow's counters. This one is cold, and the other was warm.
    again = frozen_in_order(sources, tmp_path, [*reversed(FROZEN), *FROZEN])

    assert len(FROZEN) * 2 == len(digests(frozen))
    assert digests(frozen) == digests(again)


def test_names_say_what_the_tensors_are(frozen: Path) -> None:
    names = json.loads((frozen / "several.keras.json").read_text())

    assert names.pop("way").startswith("Keras 3.")
    assert {
        "format": 1,
        "inputs": {"ids": "ids:0", "mask": "mask:0", "image": "image:0"},
        "outputs": {
            "head_boxes": "Identity:0",
            "pair_0": "Identity_1:0",
            "pair_1": "Identity_2:0",
            "scores": "Identity_3:0",
        },
    } == names


def test_failure_is_an_answer(sources: Path, tmp_path: Path, worker: WorkerProcess) -> None:
    response = freeze(worker, sources / "custom.keras", tmp_path, {})

    assert (False, "unknown-class", "source") == (response.ok, response.code, response.setting)


def test_params_that_are_absent_have_defaults(sources: Path, tmp_path: Path, worker: WorkerProcess) -> None:
    response = freeze(worker, sources / "tf2", tmp_path, {})

    assert {"way": "tf.saved_model.load"} == response.facts


@pytest.fixture(scope="module")
def converted(sources: Path, frozen: Path) -> dict[str, Any]:
    """What OpenVINO makes of each: {"lstm.keras": {"out": 1e-7}}."""
    orders = [
        [name, str(sources / expected)]
        for name, expected in {
            "tf2": "tf2.npz",
            "lstm": "lstm-export.npz",
            "tf1": "tf1-inner.npz",
            "tf1-refused": "tf1-refused.npz",
            "several.keras": "several.npz",
            "lstm.keras": "lstm.npz",
            "sequential.h5": "sequential.npz",
            "old.h5": "old.npz",
            "old-lstm.h5": "old-lstm.npz",
            "model-10.meta": "checkpoint.npz",
            "model.meta": "pipeline.npz",
            "frozen.pb": "frozen.npz",
        }.items()
        if (frozen / f"{name}.pb").exists()
    ]
    found = run_python("convert_frozen.py", str(frozen), stdin=json.dumps(orders), by="openvino")
    return dict(zip([name for name, _ in orders], json.loads(found), strict=True))


@pytest.mark.parametrize("name", [Path(name).name for name in FROZEN])
def test_openvino_reads_it_and_computes_the_same(converted: dict[str, Any], name: str) -> None:
    assert dict.fromkeys(converted[name], pytest.approx(0, abs=1e-5)) == converted[name]


def test_openvino_gives_all_outputs_but_constants(frozen: Path, converted: dict[str, Any]) -> None:
    lost = {
        (name, output)
        for name, found in converted.items()
        for output in json.loads((frozen / f"{name}.json").read_text())["outputs"]
        if output not in found
    }

    assert {("tf1-refused", "weight")} == lost
