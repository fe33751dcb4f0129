"""The digests of ovmake's code that an action runs, one per room.

    OwnCode().of("openvino", "convert") -> {"ovmake/workers/conversion": "3f2a77c01b9e", ...}

It starts at the function that `contracts.entry_points` names, and follows every import: at the top of modules and in
functions, in code that runs in other processes, and of parent packages. So the digests cover all code that can run in
the action, and an edit elsewhere makes nothing stale. A room is a folder; its digest covers the modules that the action
can reach.

Left out:
    docstrings of modules   they do not run, and a package may have nothing else
    CARRIERS                they pass on a request, a file or a message and do not affect results. If a bug in one did
                            change results, raise `graph.trace.FORMAT`, which is in every digest

A regular expression finds the imports in 10 ms; a parser would take half a second. A test compares both for every
module.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ovmake.contracts.entry_points import HANDLERS, STARTS

PACKAGE = Path(__file__).parent.parent
DIGITS = 12

# Modules and packages, dotted below `ovmake`; "" is `ovmake/__init__.py`, which holds the version.
CARRIERS = ("", "diagnostics", "workers.ipc", "engine.job", "graph", "store", "contracts.entry_points")
# A module that every worker runs but no action imports: it selects the kernels of the frameworks.
OF_WORKERS = "workers.ipc.environment"
IN_THIS_PROCESS = {"in-process", "observer"}

# Each begins with plain letters, which `re` finds ten times as fast as the start of a line.
FROM = re.compile(rb"from ovmake\b\.?([\w.]*) import (\([^)]*\)|[^\n]*)")
IMPORT = re.compile(rb"import ovmake\b\.?([\w.]*)()")
COMMENT = re.compile(rb"#[^\n]*")
NAME = re.compile(r"\w+")
QUOTES = b'"""'


class OwnCode:
    """Reads every module once."""

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = str(package)
        self._listings: dict[str, frozenset[str]] = {}
        self._modules: dict[str, tuple[bytes, frozenset[str]]] = {}
        self._of: dict[tuple[str, str], Mapping[str, str]] = {}

    def of(self, worker: str, kind: str) -> Mapping[str, str]:
        """Return the digest of each room that the action reaches, by the room's path."""
        if (worker, kind) not in self._of:
            self._of[worker, kind] = self._digests(worker, kind)
        return self._of[worker, kind]

    def whole(self) -> str:
        """Return a digest of every module, whatever runs it."""
        hasher = hashlib.sha256()
        for folder, folders, names in os.walk(self._package):
            folders.sort()
            for name in sorted(name for name in names if name.endswith(".py")):
                with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123
                    content = file.read()
                hasher.update(b"%s/%s %d\n" % (folder.encode(), name.encode(), len(content)))
                hasher.update(content)
        return hasher.hexdigest()[:DIGITS]

    def of_all(self) -> str:
        """Return a digest of the code of all kinds."""
        found = [
            (worker, kind, sorted(self.of(worker, kind).items())) for worker in HANDLERS for kind in HANDLERS[worker]
        ]
        return hashlib.sha256(repr(found).encode()).hexdigest()[:DIGITS]

    def _digests(self, worker: str, kind: str) -> Mapping[str, str]:
        rooms: dict[str, list[str]] = {}
        for module in sorted(self.reached(worker, kind)):
            if self._read(module)[0]:
                rooms.setdefault(self._room(module), []).append(module)
        digests = {}
        for room, modules in sorted(rooms.items()):
            hasher = hashlib.sha256()
            for module in modules:
                hasher.update(b"%s\0%s" % (module.encode(), self._read(module)[0]))
            digests[room] = hasher.hexdigest()[:DIGITS]
        return digests

    def reached(self, worker: str, kind: str) -> frozenset[str]:
        """Return the modules that the action can run, dotted below `ovmake`, without the carriers."""
        found: set[str] = set()
        asked: set[tuple[str, str]] = set()
        requests, pending = [(worker, kind)], [] if worker in IN_THIS_PROCESS else [OF_WORKERS]
        while requests or pending:
            if not pending:
                request = requests.pop()
                if request not in asked:
                    asked.add(request)
                    pending += _with_parents(_module_of(*request))
                continue
            module = pending.pop()
            if module in found or _carries(module):
                continue
            found.add(module)
            pending += self._read(module)[1]
            for started in STARTS.get(module, ()):
                if isinstance(started, str):
                    pending += _with_parents(started)
                else:
                    requests.append(started)
        return frozenset(found)

    def _read(self, module: str) -> tuple[bytes, frozenset[str]]:
        """Return the digest of a module's code, b"" without code, and the modules that it imports."""
        if module not in self._modules:
            with open(self._file(module), "rb") as file:  # noqa: PTH123 - a third of the time of pathlib
                code = without_docstring(file.read())
            digest = hashlib.sha256(code).digest() if code else b""
            self._modules[module] = digest, self.imports(code)
        return self._modules[module]

    def imports(self, code: bytes) -> frozenset[str]:
        """Return the modules of ovmake that code imports, with the packages on the way."""
        found: set[str] = set()
        for match in (*FROM.finditer(code), *IMPORT.finditer(code)):
            if code[code.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip():
                continue  # not a statement
            module, names = match[1].decode(), COMMENT.sub(b"", match[2]).decode()
            found.update(_with_parents(module))
            inner = (f"{module}.{name}" if module else name for name in NAME.findall(names))
            found.update(name for name in inner if self._is_module(name))
        return frozenset(found)

    def _file(self, module: str) -> str:
        path = f"{self._package}/{module.replace('.', '/')}"
        return f"{path}/__init__.py" if self._is_package(module) else f"{path}.py"

    def _room(self, module: str) -> str:
        path = f"ovmake/{module.replace('.', '/')}"
        if self._is_package(module):
            return path
        return path.rpartition("/")[0] if "." in module else f"{path}.py"

    def _is_module(self, module: str) -> bool:
        return f"{module.rpartition('.')[2]}.py" in self._beside(module) or self._is_package(module)

    def _is_package(self, module: str) -> bool:
        return module.rpartition(".")[2] in self._beside(module)

    def _beside(self, module: str) -> frozenset[str]:
        """Return the names in the folder that the module is in."""
        folder = module.rpartition(".")[0].replace(".", "/")
        if folder not in self._listings:
            path = f"{self._package}/{folder}"
            self._listings[folder] = frozenset(os.listdir(path) if os.path.isdir(path) else ())  # noqa: PTH112, PTH208
        return self._listings[folder]


def without_docstring(text: bytes) -> bytes:
    """Return the text of a module after its docstring; b"" if that is only whitespace."""
    if text.startswith((QUOTES, b"r" + QUOTES)):
        text = text.split(QUOTES, 2)[2]
    return text.lstrip()


def _module_of(worker: str, kind: str) -> str:
    return HANDLERS[worker][kind].partition(":")[0]


def _with_parents(module: str) -> Iterator[str]:
    while module:
        yield module
        module = module.rpartition(".")[0]


def _carries(module: str) -> bool:
    carrier = module in CARRIERS or any(name and module.startswith(f"{name}.") for name in CARRIERS)
    return carrier and module != OF_WORKERS
