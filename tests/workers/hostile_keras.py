"""Make Keras files that were made to do harm.

hdf5(path, form)                  an HDF5 file that takes something from elsewhere, or has no end: see FORMS
archive(path, members, ...)       a .keras file of any members
lying(path, name, states)         the archive's directory states another size of a member
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.lazily import Lazy

h5py = Lazy("h5py")
CONFIG = b'{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": []}}'


def _external_link(file: Any) -> None:
    file["layers/dense/vars"] = h5py.ExternalLink("/etc/passwd", "/x")


def _external_storage(file: Any) -> None:
    file.create_group("layers").create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "x", (4,))
    file.create_group("layers").create_virtual_dataset("w", layout)


def _soft_to_external(file: Any) -> None:
    file["a"] = h5py.SoftLink("/b/x")
    file["b"] = h5py.ExternalLink("secret.h5", "/")


def _soft_circle(file: Any) -> None:
    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")


def _soft_loop(file: Any) -> None:
    file.create_group("a/b")["c"] = h5py.SoftLink("/a")


def _hard_loop(file: Any) -> None:
    inner = file.create_group("a/b")
    inner["c"] = file["a"]


def _filter(file: Any) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((4,))
    made.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((4,)), made)


def _unstored(file: Any) -> None:
    file.create_dataset("w", (1 << 40,), "f4", chunks=(1 << 20,))


def _deep(file: Any) -> None:
    group = file
    for _ in range(1500):
        group = group.create_group("g")


# form -> (what makes it, what is said of it)
FORMS: dict[str, tuple[Callable[[Any], None], str]] = {
    "external-link": (_external_link, "`/layers/dense/vars` in it is a link to the file `/etc/passwd`"),
    "external-storage": (_external_storage, "`/layers/w` in it has its data in another file, `/etc/passwd`"),
    "virtual": (_virtual, "`/layers/w` in it is assembled from other files, such as `secret.h5`"),
    "soft-to-external": (_soft_to_external, "`/b` in it is a link to the file `secret.h5`"),
    "soft-circle": (_soft_circle, "`/a` in it is a link that leads nowhere, or back to itself"),
    "soft-loop": (_soft_loop, "`/a/b/c` in it is a group that contains itself"),
    "hard-loop": (_hard_loop, "`/a/b/c` in it is a group that contains itself"),
    "filter": (_filter, "`/w` in it is compressed by filter 32015, for which HDF5 would load a plugin"),
    "unstored": (_unstored, "`/w` in it claims 4,398,046,511,104 bytes, and 0 are stored"),
    "deep": (_deep, "/g/g…` in it is a group nested more than 200 levels deep"),
}


def hdf5(path: Path, form: str) -> Path:
    """Write an HDF5 file of a form, with what a whole model has beside it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = CONFIG.decode()
        file.attrs["keras_version"] = "3.15.1"
        FORMS[form][0](file)
    return path


def sound(path: Path) -> Path:
    """Write an HDF5 file with all that is allowed: packed, shared, and found by a link within the file."""
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/w", data=np.zeros((2000, 2000)), compression="gzip", shuffle=True)
        file.create_dataset("layers/v", data=np.arange(4.0), compression="lzf", fletcher32=True)
        file["again/w"] = file["layers/w"]
        file["soft"] = h5py.SoftLink("/layers")
        file["type"] = np.dtype("f4")
        file.create_dataset("nothing", (0, 3), "f4")
    return path


def archive(path: Path, members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive; names may repeat."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def changed(path: Path, name: str, at: int, value: bytes) -> Path:
    """Change the entry of a member in the archive's directory, so many bytes behind its start."""
    data = bytearray(path.read_bytes())
    entry = data.rindex(name.encode()) - 46
    assert data[entry : entry + 4] == b"PK\1\2"
    data[entry + at : entry + at + len(value)] = value
    path.write_bytes(data)
    return path


def lying(path: Path, name: str, states: int) -> Path:
    """Have the archive's directory state another size of a member than it unpacks to."""
    return changed(path, name, 24, struct.pack("<I", states))
