"""Read the table of a dataset, and check which of its keys go together.

dataset_of(document, name, problems) -> Dataset
is_same(one, other) -> bool
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from ovmake.contracts.forms import WITH_IMAGES, WORDS, DatasetForm
from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.kinds import OneOrMore
from ovmake.ovfile.words import KeyPath

# Keys that only some forms of dataset use, and those forms.
USED_BY: dict[str, tuple[DatasetForm, ...]] = {
    "images": WITH_IMAGES,
    "classes": WITH_IMAGES,
    "files": ("csv", "loader"),
    "labels": ("arrays", *WITH_IMAGES),
}
INSTEAD = {
    ("labels", "loader"): "the loader yields (inputs, label)",
    ("images", "loader"): "do this in the loader",
    ("images", "arrays"): "the model gets its arrays unchanged",
    ("files", "folder"): "all files in the folder are read already",
}


def dataset_of(document: dict[str, object], name: str, problems: Problems) -> Dataset:
    """Return the dataset of `[datasets.NAME]`, and report keys that have no effect there."""
    at: KeyPath = ("datasets", name)
    own = Settings(document=document, layers=(at,))
    file, _, function = own.text("loader", default="").rpartition(":")
    elsewhere = {"path": posixpath.normpath(file), "function": function} if file else {}
    arrays = tuple((key, _names(own, key)) for key in own.names("inputs"))
    found = read(Dataset, own, name=name, at=at, arrays=arrays, **elsewhere)
    _check_place(own, at, problems)
    for key, forms in USED_BY.items():
        if own.get(key) is not None and found.form not in forms:
            problems.add(_useless(key, found))
    return found


def is_same(one: Dataset, other: Dataset) -> bool:
    """Whether two datasets read the same samples, except for their number."""
    plain = [replace(dataset, name="", at=(), labels=None, limit=None, max_overlap=0) for dataset in (one, other)]
    return plain[0] == plain[1]


def _names(own: Settings, key: str) -> tuple[str, ...]:
    return OneOrMore().read(own.get("inputs", key)) or ("",)


def _check_place(own: Settings, at: KeyPath, problems: Problems) -> None:
    """Report a dataset with both `path` and `loader`, or with neither."""
    path, loader = own.origin("path"), own.origin("loader")
    if path and loader:
        message = f"`{at[-1]}` has both a `path` and a `loader`"
        also = Also(at=path, text="the other one")
        problems.add(
            Problem(code="two-sources", at=loader, on="key", message=message, also=also, help="remove one of them")
        )
    elif not path and not loader:
        hint = 'name its samples: `path = "data/val.npz"`, or `loader = "data.py:val"`'
        message = f"[datasets.{at[-1]}] has neither `path` nor `loader`"
        problems.add(Problem(code="missing-key", at=at, message=message, help=hint))


def _useless(key: str, dataset: Dataset) -> Problem:
    form = dataset.form
    hint = INSTEAD.get((key, form), "")
    return Problem(
        code="useless-key",
        at=(*dataset.at, key),
        on="key",
        message=f"`{key}` has no effect: `{dataset.name}` is {WORDS[form]}",
        help=f"remove it: {hint}" if hint else "remove it",
    )
