"""What workers answer is read strictly: an answer that is none is an error of that model, and no traceback."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from ovmake.commands.inspect.describing import Describer, Subject
from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.inspected import ConversionFacts, Data, DataColumn, Port, SourceFacts
from ovmake.diagnostics import OvmakeError
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request, Response

X = Port(name="x", shape=(-1, 4), type="f32")
SOURCE = SourceFacts(way="as it is", parameters=12, inputs=(X,), outputs=(X,), operations={"Relu": 1}, layers=())
CONVERTED = ConversionFacts(converts=True, operations={"ReLU": 1}, inputs=(X,), outputs=(X,))


class Answering:
    """A worker that gives the same facts to every request."""

    alive = True

    def __init__(self, facts: Mapping[str, object]) -> None:
        self.facts = facts

    def send(self, request: Request) -> None:
        self.asked = request

    def receive(self) -> Response:
        return Response(id=1, ok=True, facts=self.facts)

    def end(self) -> None:
        self.alive = False


def describer(*, tensorflow: Mapping[str, object], openvino: Mapping[str, object]) -> Describer:
    made = Describer()
    for name, facts in (("tensorflow", tensorflow), ("openvino", openvino)):
        made._workers[name] = cast("WorkerProcess", Answering(facts))
    return made


def subject(folder: Path, kind: str = "frozen-graph") -> Subject:
    (folder / "m.pb").write_bytes(b"12345")
    return Subject(shown="m.pb", path=folder / "m.pb", kind=kind)


def test_what_both_halves_tell_is_put_together(tmp_path: Path) -> None:
    with describer(tensorflow=encode_object(SOURCE), openvino=encode_object(CONVERTED)) as both:
        found = both.describe(subject(tmp_path))

    assert ("as it is", 12, 5, (X,)) == (found.way, found.parameters, found.size_bytes, found.inputs)
    assert ({"Relu": 1}, {"ReLU": 1}, ()) == (found.operations, found.converted, found.problems)


def test_a_source_that_is_told_wrongly_cannot_be_described(tmp_path: Path) -> None:
    facts = {**encode_object(SOURCE), "parameters": "many"}

    with (
        describer(tensorflow=facts, openvino=encode_object(CONVERTED)) as both,
        pytest.raises(OvmakeError) as caught,
    ):
        both.describe(subject(tmp_path))

    assert "the worker's answer: `parameters` is a string, expected a whole number" in str(caught.value)


def test_a_conversion_that_is_told_wrongly_is_a_trouble_of_the_model(tmp_path: Path) -> None:
    with describer(tensorflow=encode_object(SOURCE), openvino={"converts": True, "magic": 1}) as both:
        found = both.describe(subject(tmp_path))

    assert found.converted is None
    assert ["OpenVINO: the worker's answer has an unknown field `magic`"] == [
        problem.message for problem in found.problems
    ]


def test_of_a_tflite_file_that_only_openvino_reads_there_is_what_openvino_says(tmp_path: Path) -> None:
    with describer(tensorflow={}, openvino=encode_object(CONVERTED)) as both:
        found = both.describe(subject(tmp_path, "tflite"))

    assert ("OpenVINO alone", None, (X,), {"ReLU": 1}) == (found.way, found.parameters, found.outputs, found.converted)
    assert "TensorFlow cannot run it" in found.problems[0].message


def test_data_that_is_told_wrongly_is_none(tmp_path: Path) -> None:
    data = Data(form="table", count=3, columns=(DataColumn(name="a", kind="words", words=("x",), common=0.5),))
    with describer(tensorflow={}, openvino=encode_object(data)) as told:
        assert data == told.look_into(tmp_path)
    with describer(tensorflow={}, openvino={**encode_object(data), "form": "scroll"}) as told:
        assert told.look_into(tmp_path) is None
