"""Recognise the kind of a model by the content of its file or folder.

    found = recognise(path)              found.kind is one of SOURCE_KINDS, or "", and found.why describes the file
    raise unknown(path, found)           the error for the latter
    raise with_kind(error, path, kind)   an error about a source whose kind differs from the stated one

A file's name states its intended kind, its first bytes show its real kind. So the name decides nothing here; it only
improves the message: `model.h5` is named like a Keras .h5 file, but begins with `<!DOCTYPE html>`.

Rule 1: only the head of a file is read, and the directory of a zip archive: a frozen graph may have 2 GB.
Rule 2: the head tells the kinds apart, and says nothing about the rest. A truncated file is recognised; its loader
        reports the damage.

Standard library only, and cheap to import: the ovmake process recognises sources too.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.source_kinds import BY_SUFFIX, SOURCE_KINDS, in_words
from ovmake.errors import ActionError
from ovmake.sources.protobuf import ProtobufError, varint

_HEAD = 4096
_SHOWN = 24  # bytes of an unknown file in a message
_LISTED = 5  # names in an unknown folder or archive in a message
_HDF5, _ZIP, _TFLITE = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"TFL3"
LFS = b"version https://git-lfs.github.com/spec/"
_SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_BYTES = 2  # the wire type of strings and messages
_SIZES = {0: 0, 1: 8, _BYTES: 0, 5: 4}  # bytes of a value by its wire type; 0: a varint states it
_NOTHING, _LINE_FEED = memoryview(b""), memoryview(b"\n")
_VERSION = re.compile(rb"\d+\.\d+")
# OpDef.name: `Conv2D`, `_FusedConv2D`, `Custom>Op`, or a function of the graph's own, such as `__inference_f_12`.
_OP_NAME = re.compile(rb"[A-Za-z_][\w.>/-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The kind of a path.

    `why`: if it is unknown, a phrase about the content ("it is empty"); `help`: an action against it.
    `beside`: further files of the model: X.index and X.data-… of a checkpoint's X.meta.
    """

    kind: str = ""
    why: str = ""
    help: str = ""
    beside: tuple[Path, ...] = ()


def recognise(path: Path) -> Recognised:
    """Return the kind of a file or folder.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        return _folder(path)
    # Opening a named pipe would wait for a writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        head = file.read(_HEAD) or b""
    if head.startswith(_HDF5):
        return Recognised(kind="keras-h5")
    if head[4:8] == _TFLITE:  # before zip: label files may be appended to a model as an archive
        return Recognised(kind="tflite")
    if head.startswith(_ZIP):
        return _archive(path)
    return _named(path) or _protobuf(path, head) or _unreadable(head)


def companions(path: Path) -> tuple[Path, ...]:
    """Return the files beside a checkpoint's X.meta that hold its variables: X.index and X.data-…, or X of old."""
    stem = path.name.removesuffix(".meta")
    if stem == path.name:
        return ()
    beside = (entry for entry in path.parent.iterdir() if entry.name.startswith(stem) and entry.is_file())
    return tuple(
        sorted(entry for entry in beside if re.fullmatch(r"|\.index|\.data-\d+-of-\d+", entry.name.removeprefix(stem)))
    )


def unknown(path: Path, found: Recognised) -> ActionError:
    """Return the error for a source that was not recognised."""
    promised = "" if path.is_dir() else BY_SUFFIX.get(path.suffix.lower(), "")
    subject = f"the folder `{path.name}`" if path.is_dir() else f"`{path.name}`"
    message = f"{subject} is not a model that ovmake knows: {found.why}"
    if promised:
        message = f"{subject} is named like {in_words(promised)}, but {found.why}"
    known = ", ".join(kind.in_words for kind in SOURCE_KINDS.values())
    return ActionError(
        "unknown-source",
        message,
        help=found.help or "export the model as a SavedModel, `model.export(folder)` in Keras, and name that folder",
        notes=(f"a source is one of: {known}",),
        setting="source",
    )


def with_kind(error: ActionError, path: Path, kind: str) -> ActionError:
    """Return the error, with a note if the file is not of the stated kind."""
    try:
        found = recognise(path)
    except OSError:
        return error
    if found.kind == kind:
        return error
    instead = in_words(found.kind) if found.kind else f"none that ovmake knows: {found.why}"
    note = f"it was read as {in_words(kind)}; by its content it is {instead}"
    hint = "leave `kind` out: ovmake goes by the content" if found.kind else error.help
    return ActionError(error.code, error.message, help=hint, notes=(*error.notes, note), setting=error.setting)


def _folder(path: Path) -> Recognised:
    names = sorted(entry.name for entry in path.iterdir())
    if any(name in _SAVED_MODEL_FILES for name in names):
        return Recognised(kind="saved-model")
    hint = ""
    within = [f"{name}/" for name in names if any((path / name / file).is_file() for file in _SAVED_MODEL_FILES)]
    checkpoints = [name for name in names if name.endswith(".meta")]
    if within:
        hint = f"name the folder inside: `{path.name}/{within[-1]}`"
    elif checkpoints:
        hint = f"name the checkpoint's .meta file: `{path.name}/{checkpoints[-1]}`"
    return Recognised(why=f"it has no `saved_model.pb`, only {_listing(names)}", help=hint)


def _archive(path: Path) -> Recognised:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError) as error:
        hint = "the file is probably truncated: copy or download it again"
        return Recognised(why=f"it is a zip archive that cannot be read: {error}", help=hint)
    if "config.json" in names and any(name.startswith(("model.weights.", "metadata.json")) for name in names):
        return Recognised(kind="keras")
    hint = ""
    if any(name.rpartition("/")[2] in _SAVED_MODEL_FILES for name in names):
        hint = "unpack the archive, and name the SavedModel folder in it"
    return Recognised(
        why=f"it is a zip archive without `config.json` and `model.weights.h5`: {_listing(names)}", help=hint
    )


def _named(path: Path) -> Recognised | None:
    """Recognise a part of a model that was named instead of the whole."""
    if path.name == "checkpoint" or re.search(r"\.index$|\.data-\d+-of-\d+$", path.name):
        stem = re.sub(r"\.index$|\.data-\d+-of-\d+$", "", path.name)
        meta = f"{stem}.meta" if (path.parent / f"{stem}.meta").is_file() else ""
        hint = f"name the .meta file beside it: `{meta}`" if meta else "name the .meta file, which holds the graph"
        return Recognised(why="it is the part of a TF1 checkpoint without the graph", help=hint)
    return None


def _protobuf(path: Path, head: bytes) -> Recognised | None:
    """Tell GraphDef from MetaGraphDef and SavedModel.

    All three are protobuf messages without a magic number. A GraphDef begins with a NodeDef, and that with two strings,
    name and op. A MetaGraphDef begins with a MetaInfoDef, whose field 2 is a list of ops: a message, which begins with
    a line feed (the tag of its own field 1), as no name of an op does.
    """
    outer = _peek(memoryview(head))
    inner = _peek(outer.get(1, _NOTHING))
    if inner.get(1) and _OP_NAME.fullmatch(inner.get(2, _NOTHING)):
        return Recognised(kind="frozen-graph")
    if inner.get(2, _NOTHING)[:1] == _LINE_FEED or (
        _VERSION.match(inner.get(5, _NOTHING)) and outer.get(2, _NOTHING)[:1] == _LINE_FEED
    ):
        return Recognised(kind="checkpoint", beside=companions(path))
    if head[:1] == b"\x08" and outer.get(2, _NOTHING)[:1] == _LINE_FEED:
        hint = f"name the folder that it is in: `{path.absolute().parent.name}`"
        return Recognised(why="it is one file of a SavedModel, which is a folder", help=hint)
    return None


def _peek(view: memoryview) -> dict[int, memoryview]:
    """Return the first value of each string or message field, up to the end of `view` or to its first invalid byte.

    `protobuf.fields` needs the whole message; here the last value may be truncated.
    """
    found: dict[int, memoryview] = {}
    at = 0
    with contextlib.suppress(ProtobufError):
        while at < len(view):
            tag, at = varint(view, at)
            number, wire_type = tag >> 3, tag & 7
            if number == 0 or wire_type not in _SIZES:
                break
            size, at = (_SIZES[wire_type], at) if _SIZES[wire_type] else varint(view, at)
            if wire_type == _BYTES:
                found.setdefault(number, view[at : at + size])
            at += size if wire_type else 0  # a varint is its own size
    return found


def _unreadable(head: bytes) -> Recognised:
    if not head:
        return Recognised(why="it is empty", help="copy or download it again")
    if head.startswith(LFS):
        return Recognised(why="it is a Git LFS pointer, not the file itself", help="fetch the file: `git lfs pull`")
    shown = head[:_SHOWN]
    words = " ".join(shown.decode("latin-1").split())
    if words.isascii() and words.isprintable():
        return Recognised(why=f"it is text that begins with `{words}`")
    return Recognised(why=f"it begins with the bytes {shown[:8].hex(' ')}")


def _listing(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_LISTED]) or "nothing"
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown
