"""The kinds of source: their names in messages, their file suffixes, and how OpenVINO reads them.

in_words("keras-h5") -> "a Keras .h5 file"; title_of("keras-h5") -> "Keras .h5 model"

The Ovfile's key `kind`, `sources.recognise`, the rules and the workers share this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """One kind of source.

    `in_words` is its name in messages, `title` in descriptions. `suffixes` are its file suffixes, the usual one first;
    empty for a folder. `is_frozen_first`: TensorFlow freezes it before OpenVINO reads it. `has_graph`: it is or becomes
    a TensorFlow graph. `has_fingerprint`: `sources.fingerprint` can digest what it computes.
    """

    name: str
    in_words: str
    title: str
    suffixes: tuple[str, ...] = ()
    is_frozen_first: bool = False
    has_graph: bool = True
    has_fingerprint: bool = False


_KINDS = (
    SourceKind(name="saved-model", in_words="a SavedModel folder", title="SavedModel", has_fingerprint=True),
    SourceKind(
        name="frozen-graph",
        in_words="a frozen .pb graph",
        title="frozen graph",
        suffixes=(".pb",),
        has_fingerprint=True,
    ),
    SourceKind(
        name="keras",
        in_words="a Keras .keras file",
        title="Keras model",
        suffixes=(".keras",),
        is_frozen_first=True,
    ),
    SourceKind(
        name="keras-h5",
        in_words="a Keras .h5 file",
        title="Keras .h5 model",
        suffixes=(".h5", ".hdf5"),
        is_frozen_first=True,
    ),
    SourceKind(
        name="tflite",
        in_words="a .tflite file",
        title="TensorFlow Lite model",
        suffixes=(".tflite",),
        has_graph=False,
    ),
    SourceKind(
        name="checkpoint",
        in_words="the .meta file of a TF1 checkpoint",
        title="TF1 checkpoint",
        suffixes=(".meta",),
        is_frozen_first=True,
    ),
)
SOURCE_KINDS: Mapping[str, SourceKind] = {kind.name: kind for kind in _KINDS}
BY_SUFFIX: Mapping[str, str] = {suffix: kind.name for kind in _KINDS for suffix in kind.suffixes}


def in_words(kind: str) -> str:
    """Return the name of a kind in messages; an unknown kind is returned as it is."""
    return SOURCE_KINDS[kind].in_words if kind in SOURCE_KINDS else kind


def title_of(kind: str) -> str:
    """Return the name of a kind in descriptions; an unknown kind is returned as it is."""
    return SOURCE_KINDS[kind].title if kind in SOURCE_KINDS else kind
