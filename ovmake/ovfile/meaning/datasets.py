"""What a table of a dataset means, and which of its keys go together.

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

# Keys that some forms of dataset have a use for, and those forms.
USED_BY: dict[str, tuple[DatasetForm, ...]] = {
    "images": WITH_IMAGES,
    "classes": WITH_IMAGES,
    "files": ("csv", "loader"),
    "labels": ("arrays", *WITH_IMAGES),
}
INSTEAD = {
    ("labels", "loader"): "yield them: (inputs, label)",
    ("images", "loader"): "do this in the loader",
    ("images", "arrays"): "its arrays go into the model as they are",
    ("files", "folder"): "all that is in the folder counts already",
}


def dataset_of(document: dict[str, object], name: str, problems: Problems) -> Dataset:
    """Return what `[datasets.NAME]` means, and report keys that say nothing there."""
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
    """Whether two datasets read the same samples, if perhaps not as many of them."""
    plain = [replace(dataset, name="", at=(), labels=None, limit=None, max_overlap=0) for dataset in (one, other)]
    return plain[0] == plain[1]


def _names(own: Settings, key: str) -> tuple[str, ...]:
    return OneOrMore().read(own.get("inputs", key)) or ("",)


def _check_place(own: Settings, at: KeyPath, problems: Problems) -> None:
    """The samples are in one place."""
    path, loader = own.origin("path"), own.origin("loader")
    if path and loader:
        message = f"`{at[-1]}` has both a `path` and a `loader`, and its samples come from one of them"
        also = Also(at=path, text="the other one")
        problems.add(Problem(code="two-sources", at=loader, on="key", message=message, also=also, help="take one out"))
    elif not path and not loader:
        hint = 'say where its samples are: `path = "data/val.npz"`, or `loader = "data.py:val"`'
        message = f"[datasets.{at[-1]}] has neither `path` nor `loader`"
        problems.add(Problem(code="missing-key", at=at, message=message, help=hint))


def _useless(key: str, dataset: Dataset) -> Problem:
    form = dataset.form
    hint = INSTEAD.get((key, form), "")
    return Problem(
        code="useless-key",
        at=(*dataset.at, key),
        on="key",
        message=f"`{key}` says nothing of {WORDS[form]}, which `{dataset.name}` is",
        help=f"take it out: {hint}" if hint else "take it out",
    )
