"""What a table of a dataset means, and which of its keys go together.

dataset_of(document, name, problems) -> Dataset
is_same(one, other) -> bool
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from ovmake.contracts.forms import WITH_IMAGES, WORDS, DatasetForm
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems
from ovmake.ovfile.spec import Dataset, ImageOptions, KeyPath

# Keys that some forms of dataset have a use for, and those forms. A folder may hold TFRecords, which have features.
USED_BY: dict[str, tuple[DatasetForm, ...]] = {
    "images": WITH_IMAGES,
    "classes": WITH_IMAGES,
    "files": ("csv", "loader"),
    "labels": ("arrays", "csv", "tfrecord", "folder"),
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
    found = Dataset(
        name=name,
        path=posixpath.normpath(place) if (place := file or own.text("path", default="")) else "",
        function=function,
        arrays=tuple((key, _names(own, key)) for key in own.names("inputs")),
        labels=own.text("labels", default="") or None,
        classes=own.strings("classes", default=()),
        images=ImageOptions(
            resize=_sizes(own, "resize"),
            crop=_sizes(own, "crop"),
            channels=own.text("images", "channels", default="") or None,
        ),
        files=tuple(posixpath.normpath(path) for path in own.strings("files", default=())),
        limit=own.whole("limit"),
        max_overlap=own.whole("max-overlap") or 0,
        at=at,
    )
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
    return own.strings("inputs", key, default=()) or (own.text("inputs", key, default=""),)


def _sizes(own: Settings, key: str) -> tuple[int, ...] | None:
    sizes = own.numbers("images", key)
    return None if sizes is None else tuple(int(size) for size in sizes)


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
