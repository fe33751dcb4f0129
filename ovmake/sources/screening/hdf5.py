"""Screen an HDF5 file before it is read: no other files, no plugins, no sizes that would fill the memory.

    screen_hdf5(path, name)     `path` may also be an open file; `name` is for messages

An HDF5 file can name other files: by external links, by datasets whose bytes are in another file, and by virtual
datasets that are assembled from other files. Reading the file reads those too, and a secret of the user becomes a
weight of the model (CVE-2026-1669). A custom filter makes the library load a plugin.

Rule 1: no link is followed until it is known that no link leads out of the file.
Rule 2: no dataset is read. Even the size of a virtual dataset is not requested, because that opens its sources.
Rule 3: anything undecided is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import h5py

from ovmake.errors import ActionError, message_of

# The library's built-in filters (H5Zpublic.h), and the one of h5py.
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scale-offset", 32000: "lzf"}
# DEFLATE expands one byte to at most 1,032. A dataset with a larger stated size consists of fill values.
_MOST_UNPACKED = 1100
_SMALL_BYTES = 1 << 26
_DEEPEST = 200  # nested models take two or three
_HELP = "save the model again, into one file: `model.save(…)`; or export it as a SavedModel, `model.export(folder)`"


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of the walk: its path, the names in it that are still unchecked, and its address in the file.

    `line`: the addresses of the groups around it, and its own.
    """

    id: h5py.h5g.GroupID
    path: str
    names: Iterator[bytes]
    line: tuple[int, ...]


@dataclass(slots=True)
class _Walk:
    """A walk over all objects that hard links reach, each once. `soft` links are collected for later."""

    name: str
    seen: set[int] = field(default_factory=set)
    soft: list[tuple[_Group, bytes, str]] = field(default_factory=list)

    def all_below(self, root: h5py.h5g.GroupID) -> None:
        """Check everything. It uses a stack: recursion would end at Python's limit."""
        stack = [self._group(root, "", ())]
        while stack:
            name = next(stack[-1].names, None)
            inner = None if name is None else self._look(stack[-1], name)
            if inner is not None:
                stack.append(inner)
            elif name is None:
                stack.pop()

    def _group(self, group: h5py.h5g.GroupID, path: str, line: tuple[int, ...]) -> _Group:
        if len(line) > _DEEPEST:
            raise self.refusal(f"{path[:40]}…", f"is a group nested more than {_DEEPEST} levels deep")
        names: list[bytes] = []
        group.links.iterate(names.append)
        address = h5py.h5o.get_info(group).addr
        self.seen.add(address)
        return _Group(group, path, iter(names), (*line, address))

    def _look(self, group: _Group, name: bytes) -> _Group | None:
        """Check one link; return its group, if that is still unchecked."""
        path = f"{group.path}/{name.decode(errors='replace')}"
        link = group.id.links.get_info(name)
        if link.type == h5py.h5l.TYPE_SOFT:
            self.soft.append((group, name, path))
        elif link.type == h5py.h5l.TYPE_EXTERNAL:
            file, _ = group.id.links.get_val(name)
            raise self.refusal(path, f"is a link to the file `{file.decode(errors='replace')}`")
        elif link.type == h5py.h5l.TYPE_HARD:
            return self._object(group, name, path)
        else:
            raise self.refusal(path, "is a link of an unknown kind")
        return None

    def _object(self, group: _Group, name: bytes, path: str) -> _Group | None:
        about = h5py.h5o.get_info(group.id, name)
        if about.addr in group.line:
            raise self.looped(path)
        if about.addr in self.seen:
            return None
        if about.type == h5py.h5o.TYPE_GROUP:
            return self._group(h5py.h5g.open(group.id, name), path, group.line)
        self.seen.add(about.addr)
        if about.type == h5py.h5o.TYPE_DATASET:
            self._dataset(h5py.h5d.open(group.id, name), path)
        elif about.type != h5py.h5o.TYPE_NAMED_DATATYPE:
            raise self.refusal(path, "is an object of an unknown kind")
        return None

    def _dataset(self, dataset: h5py.h5d.DatasetID, path: str) -> None:
        made = dataset.get_create_plist()
        if made.get_layout() == h5py.h5d.VIRTUAL:
            source = made.get_virtual_filename(0) if made.get_virtual_count() else "nothing"
            raise self.refusal(path, f"is assembled from other files, such as `{source}`")
        if made.get_external_count():
            file = made.get_external(0)[0].decode(errors="replace")
            raise self.refusal(path, f"has its data in another file, `{file}`")
        codes = [made.get_filter(place)[0] for place in range(made.get_nfilters())]
        foreign = next((code for code in codes if code not in _FILTERS), None)
        if foreign is not None:
            raise self.refusal(path, f"is compressed by filter {foreign}, for which HDF5 would load a plugin")
        stored, stated = dataset.get_storage_size(), dataset.get_space().get_select_npoints()
        stated *= dataset.get_type().get_size()
        if stated > _SMALL_BYTES + _MOST_UNPACKED * stored:
            raise self.refusal(path, f"claims {stated:,} bytes, and {stored:,} are stored")

    def follow(self) -> None:
        """Follow the soft links, after the check that nothing leads out of the file: each must end at a new object."""
        for group, name, path in self.soft:
            try:
                about = h5py.h5o.get_info(group.id, name)
            except (KeyError, RuntimeError, OSError, ValueError):  # ValueError: h5py cannot decode HDF5's own message
                raise self.refusal(path, "is a link that leads nowhere, or back to itself") from None
            if about.addr in group.line:
                raise self.looped(path)

    def looped(self, path: str) -> ActionError:
        """Return the refusal of a group that contains itself."""
        return self.refusal(path, "is a group that contains itself")

    def refusal(self, path: str, what: str) -> ActionError:
        """Return the refusal of an object."""
        message = f"`{self.name}` is not read: `{path}` in it {what}"
        return ActionError("unsafe-source", message, setting="source", help=_HELP)


def screen_hdf5(file: Path | IO[bytes], name: str) -> None:
    """Check every group and dataset of a file.

    Raises:
        ActionError: an object is in another file, needs a plugin, contains itself, or claims far too many bytes.
        OSError: it is not an HDF5 file, or it is damaged.
    """
    with h5py.File(file, "r") as opened:
        walk = _Walk(name)
        try:
            walk.all_below(h5py.h5g.open(opened.id, b"/"))
            walk.follow()
        except (KeyError, RuntimeError, ValueError) as error:  # h5py's translations of the library's errors
            raise OSError(message_of(error)) from error
