"""Read an Ovfile: TOML text in, a typed `Ovfile` out, or every diagnostic at once.

    parse(text, file=..., inside=...) -> Ovfile

Three passes, each only if the one before found nothing: TOML syntax (tomli), form (`schema.OVFILE`), meaning (here).
A setting of a target is looked up in layers, nearest first:

    [models.m.int8]   [models.m]   [defaults.int8]   [defaults]
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import tomli

from ovmake.diagnostics import Diagnostic, Label, OvmakeError, Span, did_you_mean, in_order
from ovmake.ovfile.kinds import Problem, Problems, dotted, not_yet
from ovmake.ovfile.schema import METRICS, OVFILE, READY_METRICS, READY_PRECISIONS
from ovmake.ovfile.spec import (
    DEFAULT_COSINE,
    DEFAULT_MAX_DROP,
    DEFAULT_PRECISIONS,
    Accuracy,
    Benchmark,
    Dataset,
    Drop,
    Input,
    KeyPath,
    Ovfile,
    Quantization,
    Target,
)

VERSION = 1
DEFAULT_SAMPLES = 300
DEFAULT_MAX_SECONDS = 10.0
Inside = Callable[[str], bool]


def parse(text: str, *, file: str = "Ovfile", inside: Inside = lambda _: True) -> Ovfile:
    """Return what `text` means. `inside(path)` says whether a path of the Ovfile stays in the repo.

    Raises:
        OvmakeError: with one diagnostic per mistake, in the order of the file.
    """
    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise OvmakeError(_syntax_error(error, text, file)) from None
    problems = Problems()
    OVFILE.check(document, (), problems)
    if not problems.found:
        ovfile = _Meaning(document, problems, inside).ovfile()
        if not problems.found:
            return ovfile
    raise OvmakeError(*in_order([_diagnostic(problem, text, file) for problem in problems.found]))


@dataclass(slots=True)
class _Meaning:
    """What a well-formed document means; everything that needs more than one key is checked here."""

    document: dict[str, object]
    problems: Problems
    inside: Inside

    def ovfile(self) -> Ovfile:
        top = Settings(document=self.document, layers=((),))
        if top.get("version", default=VERSION) != VERSION:
            message = f"this ovmake reads version {VERSION} of the Ovfile, not {top.get('version')}"
            self.problems.add(Problem(code="unknown-version", at=("version",), message=message))
        build_dir = top.text("build-dir", default="build")
        self._check_inside(build_dir, ("build-dir",))
        datasets = {name: self._dataset(name) for name in top.names("datasets")}
        targets = tuple(target for model in top.names("models") for target in self._targets(model, datasets))
        if not top.names("models"):
            hint = 'add a table such as [models.digits] with `source = "models/digits"`'
            self.problems.add(Problem(code="no-models", at=(), message="the Ovfile declares no model", help=hint))
        return Ovfile(
            build_dir=posixpath.normpath(build_dir),
            device=top.text("device", default="CPU"),
            report_title=top.text("report", "title", default=""),
            datasets=datasets,
            targets=targets,
        )

    def _dataset(self, name: str) -> Dataset:
        at: KeyPath = ("datasets", name)
        own = Settings(document=self.document, layers=(at,))
        path = own.text("path", default="")
        if not path:
            self._missing("path", at, "every dataset needs the file its samples are in")
        elif not path.endswith((".npz", ".npy")):
            self.problems.add(not_yet("a dataset other than .npz and .npy", (*at, "path"), on="value"))
        self._check_inside(path, (*at, "path"))
        arrays = tuple((key, own.text("inputs", key, default="")) for key in own.names("inputs"))
        limit = own.get("limit")
        labels = own.get("labels")
        return Dataset(
            name=name,
            path=posixpath.normpath(path),
            arrays=arrays,
            labels=labels if isinstance(labels, str) else None,
            limit=limit if isinstance(limit, int) else None,
            at=at,
        )

    def _targets(self, model: str, datasets: dict[str, Dataset]) -> Iterator[Target]:
        at: KeyPath = ("models", model)
        shared = Settings(document=self.document, layers=(at, ("defaults",)))
        listed = shared.get("precisions", default=list(DEFAULT_PRECISIONS))
        where = shared.origins.get("precisions", at)
        first: dict[str, int] = {}
        for index, precision in enumerate(listed if isinstance(listed, list) else []):
            if precision in first:
                message = f"target `{model}:{precision}` is declared twice"
                self.problems.add(
                    Problem(
                        code="duplicate-target", at=(*where, index), message=message, first=(*where, first[precision])
                    )
                )
            elif precision not in READY_PRECISIONS:
                self.problems.add(not_yet(f"precision `{precision}`", (*where, index), on="value"))
            else:
                first[precision] = index
                yield self._target(model, precision, datasets)

    def _target(self, model: str, precision: str, datasets: dict[str, Dataset]) -> Target:
        at: KeyPath = ("models", model)
        own = Settings(
            document=self.document,
            layers=((*at, precision), at, ("defaults", precision), ("defaults",)),
        )
        source = own.text("source", default="")
        if not source:
            self._missing("source", at, f'add `source = "models/{model}"`')
        self._check_inside(source, (*at, "source"))
        batch = own.get("batch")
        return Target(
            model=model,
            precision=precision,
            source=posixpath.normpath(source),
            signature=own.text("signature", default="serving_default"),
            tags=tuple(own.strings("tags", default=["serve"])),
            batch=batch if isinstance(batch, int) else None,
            inputs=tuple(_input(own, name) for name in own.names("inputs")),
            accuracy=self._accuracy(own, at, precision, datasets),
            quantization=self._quantization(own, at, datasets) if precision == "int8" else None,
            benchmark=Benchmark(max_seconds=own.number("benchmark", "max-seconds", default=DEFAULT_MAX_SECONDS)),
            at=at,
            origins=own.origins,
        )

    def _accuracy(self, own: Settings, at: KeyPath, precision: str, datasets: dict[str, Dataset]) -> Accuracy | None:
        if own.get("accuracy") is False:
            return None
        dataset = self._named_dataset(own, ("accuracy", "dataset"), datasets)
        metric = own.get("accuracy", "metric")
        drop = own.get("accuracy", "max-drop")
        cosine = own.get("accuracy", "agreement", "cosine")
        if isinstance(metric, str):
            self._check_metric(metric, own.origins["accuracy.metric"])
        if metric is None and drop is not None:
            metric = "accuracy"
        if metric is not None:
            self._check_labelled(own, dataset, at, drop is not None)
            drop = DEFAULT_MAX_DROP if drop is None else drop
        if metric is None and cosine is None:
            cosine = DEFAULT_COSINE[precision]
        return Accuracy(
            dataset=dataset.name if dataset else None,
            metric=str(metric) if metric is not None else None,
            max_drop=_drop(drop),
            cosine=float(cosine) if isinstance(cosine, int | float) else None,
        )

    def _check_metric(self, metric: str, at: KeyPath) -> None:
        if metric in READY_METRICS:
            return
        if metric in METRICS or re.match(r"top-\d+$|[^:]+\.py:\w+$", metric):
            self.problems.add(not_yet(f"metric `{metric}`", at, on="value"))
        else:
            hint = did_you_mean(metric, list(METRICS)) or f"known: {', '.join(METRICS)}"
            self.problems.add(Problem(code="unknown-metric", at=at, message=f"unknown metric `{metric}`", help=hint))

    def _check_labelled(self, own: Settings, dataset: Dataset | None, at: KeyPath, by_drop: bool) -> None:  # noqa: FBT001
        key = "max-drop" if by_drop else "metric"
        place = own.origins.get(f"accuracy.{key}", at)
        named = own.origins.get("accuracy.dataset")
        if dataset is None and named is None:
            hint = 'name a labelled dataset: `dataset = "val"`; without labels use `agreement = { cosine = 0.999 }`'
            self.problems.add(
                Problem(
                    code="missing-dataset",
                    at=place,
                    on="key",
                    message=f"`{key}` needs labels to count against",
                    help=hint,
                )
            )
        elif dataset is not None and dataset.labels is None and named is not None:
            message = f"dataset `{dataset.name}` has no labels, and `{key}` needs them"
            hint = f'say which array holds them: `labels = "y"` under [datasets.{dataset.name}]'
            self.problems.add(
                Problem(code="unlabelled-dataset", at=named, message=message, help=hint, first=dataset.at)
            )

    def _quantization(self, own: Settings, at: KeyPath, datasets: dict[str, Dataset]) -> Quantization:
        dataset = self._named_dataset(own, ("calibration",), datasets)
        calibration = own.origins.get("calibration")
        if calibration is None:
            hint = f'add `calibration = "NAME"` under [models.{at[1]}.int8], and [datasets.NAME] with a `path`'
            message = f"`{at[1]}:int8` has no calibration data: INT8 ranges come from running the model on samples"
            self.problems.add(Problem(code="missing-calibration", at=at, on="key", message=message, help=hint))
        elif dataset and dataset.name == own.get("accuracy", "dataset"):
            message = (
                f"`{dataset.name}` both calibrates and validates: the gate would be measured on what INT8 was fitted to"
            )
            first = own.origins["accuracy.dataset"]
            self.problems.add(Problem(code="calibration-is-validation", at=calibration, message=message, first=first))
        return Quantization(
            calibration=dataset.name if dataset else "",
            samples=int(own.number("samples", default=DEFAULT_SAMPLES)),
            preset=own.text("preset", default="mixed"),
        )

    def _named_dataset(self, own: Settings, key: tuple[str, ...], datasets: dict[str, Dataset]) -> Dataset | None:
        name = own.get(*key)
        if not isinstance(name, str):
            return None
        if name not in datasets:
            known = ", ".join(f"`{known}`" for known in datasets) or "none"
            hint = did_you_mean(name, list(datasets)) or f"declared datasets: {known}"
            at = own.origins[".".join(key)]
            self.problems.add(Problem(code="unknown-dataset", at=at, message=f"unknown dataset `{name}`", help=hint))
        return datasets.get(name)

    def _missing(self, key: str, at: KeyPath, hint: str) -> None:
        message = f"[{dotted(at)}] has no `{key}`"
        self.problems.add(Problem(code="missing-key", at=at, on="key", message=message, help=hint))

    def _check_inside(self, path: str, at: KeyPath) -> None:
        if path and not self.inside(path):
            message = f"`{path}` leaves the repo"
            hint = "keep it in the repo, or run ovmake with --allow-outside if you trust this Ovfile"
            self.problems.add(Problem(code="path-outside", at=at, message=message, help=hint))


@dataclass(slots=True, kw_only=True)
class Settings:
    """Looks keys up in tables of the document, nearest layer first, and remembers where each was found."""

    document: dict[str, object]
    layers: tuple[KeyPath, ...]
    origins: dict[str, KeyPath] = field(default_factory=dict)

    def get(self, *key: str, default: object = None) -> object:
        """Return the value of a dotted key. A value that is no table hides the tables of farther layers."""
        for layer in self.layers:
            found, value = _dig(self.document, (*layer, *key), len(layer))
            if found:
                self.origins[".".join(key)] = (*layer, *key)
                return value
            if value is False:
                return default
        return default

    def text(self, *key: str, default: str) -> str:
        """Return a string; the schema has seen to its type."""
        return str(self.get(*key, default=default))

    def number(self, *key: str, default: float) -> float:
        """Return a number; the schema has seen to its type."""
        value = self.get(*key, default=default)
        return value if isinstance(value, int | float) else default

    def strings(self, *key: str, default: list[str]) -> list[str]:
        """Return an array of strings."""
        value = self.get(*key, default=default)
        return [str(element) for element in value] if isinstance(value, list) else default

    def names(self, *key: str) -> list[str]:
        """Return the keys of a table over all layers, in the order in which they are written."""
        names: dict[str, None] = {}
        for layer in self.layers:
            _, value = _dig(self.document, (*layer, *key), len(layer))
            names.update(dict.fromkeys(value if isinstance(value, dict) else ()))
        return list(names)


def _dig(document: dict[str, object], path: KeyPath, layer_length: int) -> tuple[bool, object]:
    """Return (found, value). Where something that is no table stands in the way: (False, that value)."""
    value: object = document
    for index, part in enumerate(path):
        if not isinstance(value, dict):
            return False, value
        if part not in value:
            return False, None
        value = value[part]
        if index < layer_length - 1 and not isinstance(value, dict):
            return False, None
    return True, value


def _input(own: Settings, name: str) -> Input:
    shape = own.get("inputs", name, "shape")
    return Input(
        name=name,
        shape=tuple(shape) if isinstance(shape, list) else None,
        mean=_numbers(own.get("inputs", name, "mean")),
        scale=_numbers(own.get("inputs", name, "scale")),
    )


def _numbers(value: object) -> tuple[float, ...] | None:
    if value is None:
        return None
    elements = value if isinstance(value, list) else [value]
    return tuple(float(element) for element in elements if isinstance(element, int | float))


def _drop(value: object) -> Drop | None:
    if isinstance(value, str):
        return Drop(amount=float(value.removesuffix("%")) / 100, relative=True)
    return Drop(amount=float(value)) if isinstance(value, int | float) else None


def _diagnostic(problem: Problem, text: str, file: str) -> Diagnostic:
    also: tuple[Label, ...] = ()
    if problem.first is not None and (first := _span(problem.first, "value", text, file)):
        also = (Label(span=first, text="first declared here" if problem.code == "duplicate-target" else "see here"),)
    return Diagnostic(
        code=problem.code,
        message=problem.message,
        span=_span(problem.at, problem.on, text, file),
        label=problem.label,
        also=also,
        help=problem.help,
    )


def span_of(at: KeyPath, text: str, file: str) -> Span | None:
    """Return where a setting or a table stands in the text of an Ovfile: what a run-time failure points at."""
    return _span(at, "value", text, file)


def _span(at: KeyPath, on: str, text: str, file: str) -> Span | None:
    from ovmake.ovfile.locate import locate  # noqa: PLC0415 - needed only when there is something to point at

    places = locate(text)
    while at and at not in places:
        at = at[:-1]
    if not at:
        return None
    place = places[at]
    offsets = (place.key if on == "key" and place.header is None else None) or place.value or place.header or place.key
    return None if offsets is None else Span.of_offsets(file, text, *offsets)


def _syntax_error(error: tomli.TOMLDecodeError, text: str, file: str) -> Diagnostic:
    """Return tomli's message with our caret. It counts in the text with CRLF made LF."""
    line = text.replace("\r\n", "\n").split("\n")[error.lineno - 1]
    column = min(error.colno, len(line) + 1)
    span = Span(file=file, line=error.lineno, column=column, length=1, text=line)
    duplicate = re.search(r"Cannot (declare|overwrite|mutate|redefine)", error.msg)
    code = "duplicate-key" if duplicate else "toml-syntax"
    message = "this key or table is declared twice" if duplicate else "the Ovfile is not valid TOML"
    return Diagnostic(code=code, message=message, span=span, label=error.msg[:1].lower() + error.msg[1:])
