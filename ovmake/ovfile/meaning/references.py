"""Check the datasets and files that an Ovfile names, at each place that names one.

    check(document, inside, problems)

So a mistake in `[defaults]` is reported once, and one in an unused table is reported too. Malformed values have been
reported already and are skipped.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from itertools import islice

from ovmake.diagnostics import did_you_mean
from ovmake.names import STATE
from ovmake.ovfile.meaning.accuracy import function_file
from ovmake.ovfile.meaning.settings import table, text_at
from ovmake.ovfile.problems import Problem, Problems, bad_value, clipped
from ovmake.ovfile.words import PRECISIONS, KeyPath

Inside = Callable[[str], bool]
DATASET_KEYS = (("accuracy", "dataset"), ("calibration",))
# Maximum number of datasets that an unknown name is compared with: there may be a hundred unknown names.
MOST_COMPARED = 1000


def check(document: dict[str, object], inside: Inside, problems: Problems) -> None:
    """Report unknown datasets, and paths that leave the repo."""
    if _datasets_are_known(document, problems):
        _check_datasets(document, problems)
    models, datasets = table(document, ("models",)), table(document, ("datasets",))
    paths: list[KeyPath] = [("build-dir",)]
    paths += [("datasets", name, key) for name in datasets for key in ("path", "loader")]
    paths += [("datasets", name, "files", place) for name in datasets for place in range(_count(datasets[name]))]
    paths += [("models", name, "source") for name in models]
    for at in paths:
        if (path := _path_at(document, at)) and not inside(path):
            problems.add(_outside(path, at))
    for at, path in _metric_files(document):
        if path and not inside(path):
            problems.add(_outside(path, at))
    if STATE in posixpath.normpath(text_at(document, ("build-dir",))).split("/"):
        problems.add(bad_value(f"in `{STATE}`, where ovmake keeps its cache", "a folder outside of it", ("build-dir",)))


def _count(dataset: object) -> int:
    files = dataset.get("files") if isinstance(dataset, dict) else None
    return len(files) if isinstance(files, list) else 0


def _path_at(document: dict[str, object], at: KeyPath) -> str:
    """Return the path at a key path; for a loader, its file."""
    if isinstance(at[-1], int):
        files = table(document, at[:-2]).get("files")
        element = files[at[-1]] if isinstance(files, list) else ""
        return element if isinstance(element, str) else ""
    text = text_at(document, at)
    return text.rpartition(":")[0] if at[-1] == "loader" else text


def _metric_files(document: dict[str, object]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the files that metrics read, with their key paths."""
    for layer in settings_tables(document):
        at = (*layer, "accuracy", "annotations")
        yield at, text_at(document, at)
        at = (*layer, "accuracy", "metric")
        yield at, function_file(text_at(document, at)) or ""


def settings_tables(document: dict[str, object]) -> Iterator[KeyPath]:
    """Yield the path of every table that may hold settings of a target."""
    models: list[KeyPath] = [("models", name) for name in table(document, ("models",))]
    variants: list[KeyPath] = [(*at, "variants", name) for at in models for name in table(document, (*at, "variants"))]
    for at in [("defaults",), *models, *variants]:
        yield at
        yield from ((*at, precision) for precision in PRECISIONS if precision in table(document, at))


def _datasets_are_known(document: dict[str, object], problems: Problems) -> bool:
    """Whether the names of all datasets are known: not if `[datasets]` is malformed or misspelt."""
    malformed = any(problem.at == ("datasets",) for problem in problems.found)
    misspelt = any(problem.code == "unknown-key" and len(problem.at) == 1 for problem in problems.found)
    return not malformed and not (misspelt and "datasets" not in document)


def _check_datasets(document: dict[str, object], problems: Problems) -> None:
    known = table(document, ("datasets",))
    for layer in settings_tables(document):
        for key in DATASET_KEYS:
            at = (*layer, *key)
            if (name := text_at(document, at)) and name not in known:
                problems.add(_unknown_dataset(name, list(islice(known, MOST_COMPARED)), at))


def _unknown_dataset(name: str, known: list[str], at: KeyPath) -> Problem:
    declared = f"declared: {', '.join(known[:20])}" if known else "the Ovfile declares no dataset"
    hint = did_you_mean(name, known) or f"declare it in a table [datasets.{clipped(name)}] with a `path`"
    return Problem(
        code="unknown-dataset", at=at, message=f"unknown dataset `{clipped(name)}`", label=declared, help=hint
    )


def _outside(path: str, at: KeyPath) -> Problem:
    hint = "keep it in the repo, or run ovmake with --allow-outside if you trust this Ovfile"
    return Problem(code="path-outside", at=at, message=f"`{clipped(path)}` leaves the repo", help=hint)
