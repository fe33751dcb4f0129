"""The kinds of source: how an Ovfile names them, and how a message does."""

from __future__ import annotations

from collections.abc import Mapping

IN_WORDS: Mapping[str, str] = {
    "saved-model": "a SavedModel folder",
    "frozen-graph": "a frozen .pb graph",
    "keras": "a Keras .keras file",
    "keras-h5": "a Keras .h5 file",
    "tflite": "a .tflite file",
    "checkpoint": "the .meta file of a TF1 checkpoint",
}
SOURCE_KINDS = tuple(IN_WORDS)
