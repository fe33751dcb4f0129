"""Ask the workers about models: TensorFlow what a model is, OpenVINO whether it can convert it.

    with Describer() as describer:
        description = describer.describe(Subject(shown="models/digits", path=Path(...), kind="saved-model"))

Outside the action graph: nothing is kept, no `.ovmake` is made. Both workers are started when first needed, and
replaced when they die, so that one bad model of ten costs one answer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ovmake.commands.inspect.data import Data
from ovmake.commands.inspect.description import Description, LayerDescription, Port, Signature, Trouble
from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.helping import InspectGraphParams, InspectParams
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.sources.recognise import companions
from ovmake.store.files.links import linked
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request, Response

_FED = {"string": "strings", "resource": "a resource", "variant": "a variant"}
_LINES = 5  # of what a worker said before it died


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to look at. `shown` is its name in messages; `signature` and `tags` are None where nobody chose."""

    shown: str
    path: Path
    kind: str
    signature: str | None = None
    tags: tuple[str, ...] | None = None
    allowed: tuple[str, ...] = ()


class Describer:
    """The two workers, and a temporary folder for what goes from one to the other."""

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
        """Look at a model.

        Raises:
            OvmakeError: TensorFlow cannot load it; exit status 1.
        """
        graph = Path(self._folder.name, "graph.pb")
        graph.unlink(missing_ok=True)
        params = InspectParams(
            kind=subject.kind, signature=subject.signature or "", tags=subject.tags, allow_ops=tuple(subject.allowed)
        )
        loaded = self._ask("tensorflow", params, {"source": str(subject.path)}, {"graph": str(graph)})
        converted = self._convert(subject, graph, loaded)
        if not loaded.ok and (subject.kind != "tflite" or not converted.ok or not converted.facts.get("converts")):
            raise OvmakeError(_diagnostic(loaded), exit_status=1)
        return _description(subject, loaded, converted)

    def look_into(self, path: Path) -> Data | None:
        """Look into a file or folder that may be a dataset; None if it is none that can be read."""
        response = self._ask("openvino", None, {"dataset": str(path.absolute())}, {}, kind="inspect-data")
        return Data.of_facts(response.facts) if response.ok else None

    def _convert(self, subject: Subject, graph: Path, loaded: Response) -> Response:
        if subject.kind == "tflite":
            named = Path(self._folder.name, "model.tflite")  # OpenVINO's reader goes by the suffix
            named.unlink(missing_ok=True)
            named.symlink_to(subject.path)
            return self._ask("openvino", InspectGraphParams(framework="tflite"), {"graph": str(named)}, {})
        if not loaded.ok:
            return loaded
        asked = self._ask("openvino", InspectGraphParams(framework="tf"), {"graph": str(graph)}, {})
        plain = loaded.facts.get("signature") == "serving_default" and loaded.facts.get("tags") == ["serve"]
        if asked.facts.get("converts") or subject.kind != "saved-model" or not plain:
            return asked
        # Rarely OpenVINO reads a SavedModel and not what became of it by freezing.
        directly = self._ask("openvino", InspectGraphParams(framework="tf"), {"graph": str(subject.path)}, {})
        return directly if directly.facts.get("converts") else asked

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


def _description(subject: Subject, loaded: Response, converted: Response) -> Description:
    """Put together what both said. Of a model that only OpenVINO could read, there is what OpenVINO says."""
    facts = loaded.facts if loaded.ok else {**converted.facts, "operations": {}}
    inputs, outputs = _ports(facts.get("inputs")), _ports(facts.get("outputs"))
    troubles = _types(inputs, "input") + _types(outputs, "output") + _conversion(converted)
    if not loaded.ok:
        message = f"TensorFlow cannot run it, so there is nothing to compare with: {loaded.message}"
        troubles = (Trouble(code=loaded.code, message=message, notes=loaded.notes), *troubles)
    counts = converted.facts.get("operations")
    return Description(
        source=subject.shown,
        kind=subject.kind,
        way=str(facts.get("way") or "OpenVINO alone"),
        size_bytes=_size(subject.path),
        parameters=_whole(facts.get("parameters")),
        signature=str(facts.get("signature") or ""),
        tags=tuple(map(str, _list(facts.get("tags")))),
        signatures=_signatures(facts.get("choices")),
        inputs=inputs,
        outputs=outputs,
        layers=tuple(_layer(layer) for layer in _list(facts.get("layers"))),
        operations=_counts(facts.get("operations")),
        converted=_counts(counts) if converted.ok and converted.facts.get("converts") else None,
        troubles=troubles,
    )


def _types(ports: Sequence[Port], side: str) -> tuple[Trouble, ...]:
    wrong = [port for port in ports if port.type in _FED]
    verb = {"input": "takes", "output": "gives"}[side]
    return tuple(
        Trouble(
            code="unsupported-type",
            message=f"{side} `{port.name}` {verb} {_FED[port.type]}, which OpenVINO's devices do not",
        )
        for port in wrong
    )


def _conversion(converted: Response) -> tuple[Trouble, ...]:
    if not converted.ok:
        return (Trouble(code=converted.code, message=f"OpenVINO: {converted.message}", notes=converted.notes),)
    if converted.facts.get("converts"):
        return ()
    words = str(converted.facts.get("message"))
    missing = tuple(map(str, _list(converted.facts.get("missing"))))
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        message = f"OpenVINO has no conversion rule for {listed}"
        return (Trouble(code="unsupported-operations", message=message, operations=missing, notes=(words,)),)
    return (Trouble(code="cannot-convert", message="OpenVINO cannot convert it", notes=(words,)),)


def _size(path: Path) -> int:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path, *companions(path)]
    return sum(file.stat().st_size for file in files)


# facts of a worker, which are JSON, as our own types


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _counts(value: object) -> dict[str, int]:
    return {str(name): int(count) for name, count in value.items()} if isinstance(value, Mapping) else {}


def _ports(value: object) -> tuple[Port, ...]:
    return tuple(_port(fields) for fields in _list(value))


def _port(fields: Mapping[str, Any]) -> Port:
    quantization = fields.get("quantization")
    return Port(
        name=fields["name"],
        shape=None if fields["shape"] is None else tuple(fields["shape"]),
        type=fields["type"],
        quantization=(quantization["scale"], quantization["zero-point"]) if quantization else None,
    )


def _layer(fields: Mapping[str, Any]) -> LayerDescription:
    return LayerDescription(
        name=fields["name"],
        operations=tuple(fields["operations"]),
        outputs=_ports(fields["outputs"]),
        parts=fields["parts"],
    )


def _signatures(value: object) -> tuple[Signature, ...]:
    return tuple(
        Signature(
            name=name,
            tags=tuple(choice["tags"]),
            inputs=tuple(sides["inputs"]),
            outputs=tuple(sides["outputs"]),
        )
        for choice in _list(value)
        for name, sides in choice["signatures"].items()
    )
