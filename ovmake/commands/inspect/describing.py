"""Ask the workers about models: TensorFlow describes a model, OpenVINO tries to convert it.

    with Describer() as describer:
        description = describer.describe(Subject(shown="models/digits", path=Path(...), kind="saved-model"))

There are no actions, so nothing is stored, and no `.ovmake` is created. Both workers start when first needed, and are
replaced if they die, so that a bad model does not affect the others.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ovmake.commands.inspect.description import ConversionProblem, Description
from ovmake.contracts.codec import ContractError, decode, encode_object
from ovmake.contracts.files.inspected import ConversionFacts, Data, Port, SourceFacts
from ovmake.contracts.params.helping import InspectGraphParams, InspectParams
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.sources.recognise import companions
from ovmake.store.files.links import linked
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request, Response

_FED = {"string": "strings", "resource": "a resource", "variant": "a variant"}
_LINES = 5  # of what a worker said before it died
_Facts = TypeVar("_Facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to describe. `shown` is its name in messages; `signature` and `tags` are None if not chosen."""

    shown: str
    path: Path
    kind: str
    signature: str | None = None
    tags: tuple[str, ...] | None = None
    allowed: tuple[str, ...] = ()


class Describer:
    """The two workers, and a temporary folder for files that pass between them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ovmake-inspect-")
        self._workers: dict[str, WorkerProcess] = {}

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        for worker in self._workers.values():
            worker.end()
        self._folder.cleanup()

    def describe(self, subject: Subject) -> Description:
        """Describe a model.

        Raises:
            OvmakeError: TensorFlow cannot load it; exit status 1.
        """
        graph = Path(self._folder.name, "graph.pb")
        graph.unlink(missing_ok=True)
        params = InspectParams(
            kind=subject.kind, signature=subject.signature or "", tags=subject.tags, allow_ops=tuple(subject.allowed)
        )
        asked = self._ask("tensorflow", params, {"source": str(subject.path)}, {"graph": str(graph)})
        source = _facts(SourceFacts, asked)
        converted = self._convert(subject, graph, source)
        if isinstance(source, Response) and not (subject.kind == "tflite" and _converts(converted)):
            raise OvmakeError(_diagnostic(source), exit_status=1)
        return _description(subject, source, converted)

    def look_into(self, path: Path) -> Data | None:
        """Look into a file or folder that may be a dataset; None if it is not a readable dataset."""
        response = self._ask("openvino", None, {"dataset": str(path.absolute())}, {}, kind="inspect-data")
        found = _facts(Data, response)
        return found if isinstance(found, Data) else None

    def _convert(self, subject: Subject, graph: Path, source: SourceFacts | Response) -> ConversionFacts | Response:
        if subject.kind == "tflite":
            named = Path(self._folder.name, "model.tflite")  # OpenVINO's reader goes by the suffix
            named.unlink(missing_ok=True)
            named.symlink_to(subject.path)
            return self._converted("tflite", named)
        if isinstance(source, Response):
            return source
        found = self._converted("tf", graph)
        plain = source.signature == "serving_default" and source.tags == ("serve",)
        if _converts(found) or subject.kind != "saved-model" or not plain:
            return found
        # Rarely OpenVINO can read a SavedModel but not its frozen graph.
        directly = self._converted("tf", subject.path)
        return directly if _converts(directly) else found

    def _converted(self, framework: str, path: Path) -> ConversionFacts | Response:
        return _facts(
            ConversionFacts, self._ask("openvino", InspectGraphParams(framework=framework), {"graph": str(path)}, {})
        )

    def _ask(
        self,
        name: str,
        params: InspectParams | InspectGraphParams | None,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        *,
        kind: str = "inspect",
    ) -> Response:
        worker = self._workers.get(name)
        if worker is None or not worker.alive:
            worker = WorkerProcess.start(name, boot_log=f"{self._folder.name}/{name}.log")
            self._workers[name] = worker
        log = f"{self._folder.name}/{name}-request.log"
        request = Request(
            id=1,
            kind=kind,
            params=encode_object(params),
            inputs=inputs,
            outputs=outputs,
            log=log,
            scratch=self._folder.name,
            cage=_cage(inputs.values(), self._folder.name),
        )
        worker.send(request)
        response = worker.receive()
        if response is not None:
            return response
        message = worker.how_it_died()
        notes = tuple(worker.said()[-_LINES:])
        worker.end()
        del self._workers[name]
        return Response(id=1, ok=False, code="worker-died", message=message, notes=notes)


def _cage(given: Iterable[str], scratch: str) -> Cage:
    read = [path for source in given for path in (source, *map(str, companions(Path(source))), *linked(source))]
    beside = {os.path.dirname(path) for path in read}  # noqa: PTH120
    return Cage(read=tuple(read), list=tuple(beside), write=(scratch,))


def _diagnostic(response: Response) -> Diagnostic:
    return Diagnostic(code=response.code, message=response.message, notes=response.notes, help=response.help)


def _facts(kind: type[_Facts], response: Response) -> _Facts | Response:
    """Return a worker's facts, or its response if it failed."""
    if not response.ok:
        return response
    try:
        return decode(kind, response.facts, "the worker's answer")
    except ContractError as error:  # of a process that a model took over, say
        return Response(id=response.id, ok=False, code="worker-died", message=str(error))


def _converts(found: ConversionFacts | Response) -> bool:
    return isinstance(found, ConversionFacts) and found.converts


def _description(
    subject: Subject, source: SourceFacts | Response, converted: ConversionFacts | Response
) -> Description:
    """Combine both answers. If only OpenVINO could read the model, use OpenVINO's."""
    ports = converted if isinstance(source, Response) else source
    inputs, outputs = ((), ()) if isinstance(ports, Response) else (ports.inputs, ports.outputs)
    problems = _types(inputs, "input") + _types(outputs, "output") + _conversion(converted)
    found = Description(
        source=subject.shown,
        kind=subject.kind,
        way="OpenVINO alone",
        size_bytes=_size(subject.path),
        parameters=None,
        inputs=inputs,
        outputs=outputs,
        converted=converted.operations if isinstance(converted, ConversionFacts) and converted.converts else None,
        problems=problems,
    )
    if isinstance(source, Response):
        message = f"TensorFlow cannot run it, so there is nothing to compare with: {source.message}"
        return replace(
            found, problems=(ConversionProblem(code=source.code, message=message, notes=source.notes), *problems)
        )
    return replace(
        found,
        way=source.way,
        parameters=source.parameters,
        signature=source.signature,
        tags=source.tags,
        signatures=source.signatures,
        layers=source.layers,
        operations=source.operations,
    )


def _types(ports: Sequence[Port], side: str) -> tuple[ConversionProblem, ...]:
    wrong = [port for port in ports if port.type in _FED]
    verb = {"input": "takes", "output": "gives"}[side]
    return tuple(
        ConversionProblem(
            code="unsupported-type",
            message=f"{side} `{port.name}` {verb} {_FED[port.type]}, which OpenVINO's devices do not",
        )
        for port in wrong
    )


def _conversion(converted: ConversionFacts | Response) -> tuple[ConversionProblem, ...]:
    if isinstance(converted, Response):
        return (
            ConversionProblem(code=converted.code, message=f"OpenVINO: {converted.message}", notes=converted.notes),
        )
    if converted.converts:
        return ()
    words, missing = converted.message, converted.missing
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        message = f"OpenVINO has no conversion rule for {listed}"
        return (ConversionProblem(code="unsupported-operations", message=message, operations=missing, notes=(words,)),)
    return (ConversionProblem(code="cannot-convert", message="OpenVINO cannot convert it", notes=(words,)),)


def _size(path: Path) -> int:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path, *companions(path)]
    return sum(file.stat().st_size for file in files)
