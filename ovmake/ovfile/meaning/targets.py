"""Interpret a document: make the targets of an Ovfile, and check what needs several keys.

    Meaning(document, problems).ovfile() -> Ovfile

Malformed documents are accepted too, so that one run shows all mistakes: a model or dataset of the wrong form is
skipped, and its absence is not reported again. If there are errors, the caller discards the result.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ovmake.contracts.params.evaluation import DEFAULT_DEVICE
from ovmake.names import BUILD, STATE
from ovmake.ovfile.meaning.accuracy import accuracy_of
from ovmake.ovfile.meaning.candidates import candidate_names, check_comparable
from ovmake.ovfile.meaning.compression import quantization_of, weights_of
from ovmake.ovfile.meaning.datasets import dataset_of, is_same
from ovmake.ovfile.meaning.inputs import input_of, outputs_of
from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings, dig, table
from ovmake.ovfile.problems import Also, Problem, Problems, dotted
from ovmake.ovfile.schema.compression import Quantization
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.inputs import Cut
from ovmake.ovfile.schema.keys import OfModel, Report, Shared, Top
from ovmake.ovfile.schema.measuring import Benchmark, Limits, Require
from ovmake.ovfile.schema.sharing import Cache
from ovmake.ovfile.spec import Ovfile, Target
from ovmake.ovfile.text.limits import Family, check_targets
from ovmake.ovfile.words import (
    AUTO,
    CANDIDATES,
    LIMITS,
    PRECISIONS,
    KeyPath,
)


@dataclass(slots=True)
class Meaning:
    """The interpretation of one document. `malformed` are the key paths of the wrong form that `form.check` found."""

    document: dict[str, object]
    problems: Problems
    malformed: tuple[KeyPath, ...]
    build_dir: str = BUILD
    device: str = DEFAULT_DEVICE
    datasets: dict[str, Dataset] = field(default_factory=dict)
    uncalibrated: dict[KeyPath, list[str]] = field(default_factory=dict)
    _wrong: frozenset[KeyPath] = field(init=False)
    _around: frozenset[KeyPath] = field(init=False)

    def __post_init__(self) -> None:
        """Index the malformed key paths; look-ups have at most two parts."""
        self._wrong = frozenset(self.malformed)
        self._around = frozenset(place[:length] for place in self.malformed for length in (1, 2))

    def ovfile(self) -> Ovfile:
        """Return the typed Ovfile, and report mistakes."""
        own = Settings(document=self.document, layers=((),))
        top = read(Top, own)
        self.build_dir, self.device = top.build_dir, top.device
        names = [name for name in table(self.document, ("datasets",)) if self._is_well_formed("datasets", name)]
        self.datasets = {name: dataset_of(self.document, name, self.problems) for name in names}
        self._check_datasets_outside()
        models = self._models()
        families = [self._family(model, variant) for model in models for variant in self._variants(model)]
        if not check_targets(families, self.document, self.problems):
            models = []
        targets = tuple(target for model in models for target in self._targets(model))
        self._check_calibrated()
        self._check_unused()
        return Ovfile(
            build_dir=self.build_dir,
            device=self.device,
            report_title=read(Report, own, "report").title,
            datasets=self.datasets,
            targets=targets,
            limits=read(Limits, own, LIMITS),
            cache=read(Cache, own, "cache"),
        )

    def _is_well_formed(self, *at: str) -> bool:
        return at not in self._around and not any(at[:length] in self._wrong for length in range(len(at) + 1))

    def _models(self) -> list[str]:
        models = list(table(self.document, ("models",)))
        top_is_fine = not any(
            len(place) == 1 for place in self.malformed
        )  # a misspelt [model.digits] is reported already
        if not models and top_is_fine:
            hint = 'add a table such as [models.digits] with `source = "models/digits"`'
            message = "the Ovfile declares no model"
            self.problems.add(Problem(code="no-models", at=("models",), message=message, help=hint))
        if not self._is_well_formed("defaults"):
            return []
        return [model for model in models if self._is_well_formed("models", model)]

    def _check_datasets_outside(self) -> None:
        """Report a dataset that contains ovmake's outputs: it would never be up to date."""
        for dataset in self.datasets.values():
            for at, path in dataset.places.items():
                if not posixpath.isabs(path) and (
                    held := [own for own in (self.build_dir, STATE) if _holds(path, own)]
                ):
                    message = (
                        f"`{path}` contains `{held[0]}`, ovmake's output: `{dataset.name}` would never be up to date"
                    )
                    hint = "name the folder with the samples only, or choose another `build-dir`"
                    self.problems.add(Problem(code="output-in-source", at=at, message=message, help=hint))

    # targets

    def _variants(self, model: str) -> list[str]:
        """Return the variants of a model; "" is the model itself."""
        return ["", *table(self.document, ("models", model, "variants"))]

    def _precisions(self, model: str, variant: str = "") -> tuple[tuple[str, ...], KeyPath]:
        """Return the precisions of a model or variant, and the key path of the list."""
        at: KeyPath = ("models", model)
        own: tuple[KeyPath, ...] = ((*at, "variants", variant),) if variant else ()
        shared = Settings(document=self.document, layers=(*own, at, ("defaults",)))
        return read(Shared, shared).precisions, shared.origin("precisions") or at

    def _family(self, model: str, variant: str) -> Family:
        precisions = dict.fromkeys(self._precisions(model, variant)[0])
        weighed = len(self._candidate_names(model, variant)) if AUTO in precisions else 0
        return Family(model=model, variant=variant, precisions=len(precisions) + weighed)

    def _targets(self, model: str) -> Iterator[Target]:
        for variant in self._variants(model):
            precisions, _ = self._precisions(model, variant)
            for precision in dict.fromkeys(precisions):
                yield self._target(model, variant, precision)

    def _settings(self, model: str, variant: str, precision: str) -> Settings:
        at: KeyPath = ("models", model)
        special: KeyPath = (*at, "variants", variant)
        return Settings(
            document=self.document,
            layers=(
                *(((*special, precision), special) if variant else ()),
                (*at, precision),
                at,
                ("defaults", precision),
                ("defaults",),
            ),
        )

    def _target(self, model: str, variant: str, precision: str) -> Target:
        at: KeyPath = ("models", model)
        special: KeyPath = (*at, "variants", variant)
        own = self._settings(model, variant, precision)
        source = read(OfModel, own).source
        self._check_source_outside(source, model, variant)
        if "device" in self.document:  # at the top, for all targets
            own.origins["device"] = ("device",)
        return read(
            Target,
            own,
            model=model,
            variant=variant,
            precision=precision,
            source=source,
            inputs=tuple(input_of(own, name, self.problems) for name in own.names("inputs")),
            outputs=outputs_of(own, self.problems),
            cut=read(Cut, own, "cut"),
            device=self.device,
            accuracy=accuracy_of(own, precision, self.datasets, self.problems, int8=self._int8(model, variant)),
            quantization=self._quantization(own, model, variant) if precision == "int8" else None,
            weights=weights_of(own, precision, self.problems),
            benchmark=self._benchmark(own),
            require=read(Require, own, "require"),
            candidates=self._candidates(own, model, variant) if precision == AUTO else (),
            at=special if variant else at,
            origins=own.origins,  # complete when the target is made: it records every look-up
        )

    def _int8(self, model: str, variant: str) -> Settings | None:
        """Return the settings of INT8, None if the model or variant has no INT8 target."""
        return self._settings(model, variant, "int8") if "int8" in self._made(model, variant) else None

    def _benchmark(self, own: Settings) -> Benchmark:
        found = read(Benchmark, own, "benchmark")
        elsewhere = tuple(device for device in found.devices if device != self.device)
        return replace(found, devices=elsewhere) if found.devices else found

    # auto

    def _candidates(self, own: Settings, model: str, variant: str) -> tuple[Target, ...]:
        """Return the candidates of `auto`, the most accurate first."""
        names = self._candidate_names(model, variant)
        found = tuple(self._target(model, variant, name) for name in names if name in CANDIDATES)
        check_comparable(found, own.origin("candidates"), self.problems)
        return found

    def _candidate_names(self, model: str, variant: str) -> tuple[str, ...]:
        auto, int8 = (self._settings(model, variant, precision) for precision in (AUTO, "int8"))
        return candidate_names(auto, int8)

    def _made(self, model: str, variant: str) -> set[str]:
        """Return the precisions of a model or variant, including the candidates of `auto`."""
        listed = set(self._precisions(model, variant)[0])
        return listed | set(self._candidate_names(model, variant)) if AUTO in listed else listed

    def _listed_at(self, model: str, variant: str, precision: str) -> KeyPath:
        """Return the key path that lists a precision: in `precisions`, else among the candidates of `auto`."""
        _, listed = self._precisions(model, variant)
        candidates = self._settings(model, variant, AUTO).origin("candidates") or listed
        lists = {at: names for at in (listed, candidates) if isinstance(names := dig(self.document, at)[1], list)}
        return next((*at, names.index(precision)) for at, names in lists.items() if precision in names)

    def _check_source_outside(self, source: str, model: str, variant: str) -> None:
        """Report a source that contains its outputs, or the other way round: it would never be up to date."""
        outputs = posixpath.join(self.build_dir, f"{model}@{variant}" if variant else model)
        if posixpath.isabs(source) != posixpath.isabs(outputs):
            return
        if _holds(source, outputs) or _holds(outputs, source):
            how = "is inside its source" if _holds(source, outputs) else "contains its source"
            self.problems.add(
                Problem(
                    code="output-in-source",
                    at=("models", model, "source"),
                    message=f"`{outputs}`, where ovmake writes `{model}`, {how}: it would never be up to date",
                    help="move the source, or choose another `build-dir`",
                )
            )

    # int8

    def _quantization(self, own: Settings, model: str, variant: str) -> Quantization:
        found = quantization_of(own, self.problems)
        name = found.calibration
        if not name:
            at = self._listed_at(model, variant, "int8")
            self.uncalibrated.setdefault(at, []).append(f"{model}@{variant}" if variant else model)
        elif self._is_same_samples(name, judge := own.text("accuracy", "dataset", default="")):
            both = f"`{name}` both calibrates and judges INT8"
            twins = f"`{name}` calibrates INT8, `{judge}` judges it, and both hold the same samples"
            self.problems.add(
                Problem(
                    code="calibration-is-validation",
                    at=own.origins["calibration"],
                    message=f"{both if name == judge else twins}: INT8 would be judged on samples it was fitted to",
                    also=Also(at=own.origins["accuracy.dataset"], text="judged on this"),
                    help="calibrate on samples that the gate does not use, such as a part of the training set",
                )
            )
        return found

    def _is_same_samples(self, calibration: str, validation: str) -> bool:
        """Whether two names mean the same dataset, or datasets that read the same arrays of one file."""
        one, other = self.datasets.get(calibration), self.datasets.get(validation)
        return one is not None and other is not None and is_same(one, other)

    def _check_calibrated(self) -> None:
        """Report INT8 without calibration, once for each list: a list in `[defaults]` may concern many models."""
        for at, models in self.uncalibrated.items():
            named = ", ".join(f"`{model}:int8`" for model in models[:5]) + (", ..." if models[5:] else "")
            where = "defaults" if at[0] == "defaults" else dotted(_without(at, "precisions", AUTO))
            self.problems.add(
                Problem(
                    code="missing-calibration",
                    at=at,
                    message=f"no calibration data for {named}",
                    label="INT8 needs samples to measure the ranges of activations",
                    help=f'name a dataset: `calibration = "NAME"` in [{where}.int8], and a table [datasets.NAME]',
                )
            )

    def _check_unused(self) -> None:
        """Warn about settings of a precision that no model lists."""
        families = [
            (model, variant) for model in table(self.document, ("models",)) for variant in self._variants(model)
        ]
        made = {family: self._made(*family) for family in families}
        places: dict[KeyPath, set[str]] = {("defaults",): set[str]().union(*made.values())}
        for (model, variant), precisions in made.items():
            # A model's settings apply to its variants too, which may list different precisions.
            at: KeyPath = ("models", model)
            places.setdefault(at, set()).update(precisions)
            if variant:
                places[*at, "variants", variant] = precisions
        for place, listed in places.items():
            for precision in PRECISIONS:
                if precision in table(self.document, place) and precision not in listed:
                    self.problems.add(_unused((*place, precision)))


def _unused(at: KeyPath) -> Problem:
    *above, precision = at
    who = "no model lists" if above == ["defaults"] else f"`{above[-1]}` does not list"
    return Problem(
        code="unused-precision",
        at=at,
        message=f"{who} `{precision}` in its `precisions`, so these settings have no effect",
        help=f'add "{precision}" to `precisions`, or remove the table',
        severity="warning",
    )


def _without(at: KeyPath, *keys: str) -> KeyPath:
    """Return the path of the table that holds one of `keys`, if `at` leads through one; else `at`."""
    return next((at[:place] for place, part in enumerate(at) if part in keys), at)


def _holds(folder: str, path: str) -> bool:
    return folder in (path, ".") or path.startswith(f"{folder}/")
