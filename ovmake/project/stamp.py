"""The stamp: the file states of each fresh model at the last look. It is checked before anything else is loaded.

    known = look(folder, key)          None: nothing is known; the caller observes everything
    known.fresh(asked) -> int | None   the number of requested targets, if all are known to be fresh
    known.stale, known.edited          models with changed files; whether the Ovfile changed
    encoded(...) -> bytes | None       a stamp, to be written to STAMP; None: no valid stamp is possible

Without it, a no-op `ovmake build` would spend its time on importing modules and reading its state. The stamp is the
stored ledger of the engine's observer: every path that decisions depended on, with its state. For each model these are
its sources with their folders, its outputs, and folders of the store. The shared paths are the Ovfile, files that
several models read, ovmake's own code and the folders of packages. If no path changed, the decisions are the same. If
only paths of some models changed, all other models stay fresh.

The file: the seal of the rest (see seal.py), a line of numbers (format, targets, bytes of each section), then the
sections. A no-op reads the first four and compares them as bytes; it decodes only what it needs.

    key            the Ovfile's name, and whether its paths may leave the repo
    surroundings   Python, the folders of code and packages, the CPU
    paths          of files and folders, each ended by a zero byte, group by group
    states         four 64-bit numbers each
    groups         JSON: [model, number of paths (null if not known to be fresh), targets], shared ones first
    text           the Ovfile's

Rule 1: a stamp says "fresh" or nothing. Every doubt, such as an unreadable stamp, leads to a full look.
Rule 2: no entry may be racy: a file written within a clock tick of the look could change again unnoticed. `encoded`
        leaves out targets that depend on such a file.
Rule 3: import only light modules of the standard library, no dataclass: this module and argparse are the whole cost of
        a no-op.
"""

from __future__ import annotations

import os
import stat
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from ovmake.ledger import Files, State, is_racy, state, state_if_any, state_of
from ovmake.names import DATABASE, STAMP, words_for
from ovmake.seal import SEAL_BYTES, read_key, seal

FORMAT = 4
SHARED = ""
# The maximal size of a stamp: 100,000 models need some 40 MB.
MOST_BYTES = 1 << 30

NUMBERS = 4  # of a state


class Stamp:
    """A stamp, compared with the present states of its files."""

    __slots__ = ("_groups", "_now", "_paths", "_text", "count", "edited", "stale")

    def __init__(self, paths: list[bytes], then: array[int], groups: bytes, text: bytes, count: int) -> None:
        """Compare the stored states with the present ones.

        Raises:
            ValueError: a shared path has changed.
        """
        self.count = count
        self._paths = paths
        self._groups: bytes | list[tuple[str, int | None, list[str]]] = groups
        self._text = text
        self._now = _states(paths)
        self.edited = self._now[:NUMBERS] != then[:NUMBERS]
        self.stale: frozenset[str] = frozenset()
        if self._now != then or b"null" in groups:
            self.stale = frozenset(self._changed(then))

    def _changed(self, then: array[int]) -> Iterable[str]:
        for model, _, files in self._slices():
            if files is None:
                yield model
                continue
            # The Ovfile is the first shared path. If it changed, the models are still compared.
            start = NUMBERS * max(files.start, 1)
            if self._now[start : NUMBERS * files.stop] != then[start : NUMBERS * files.stop]:
                if model == SHARED:
                    raise ValueError("what several models rest on has changed")
                yield model

    def _slices(self) -> Iterable[tuple[str, list[str], slice | None]]:
        start = 0
        for model, number, targets in self._decoded():
            yield model, targets, None if number is None else slice(start, start + number)
            start += number or 0

    def _decoded(self) -> list[tuple[str, int | None, list[str]]]:
        if isinstance(self._groups, bytes):
            import json  # noqa: PLC0415 - 2 ms, and a plain no-op has no use for it

            self._groups = [(model, number, targets) for model, number, targets in json.loads(self._groups)]
        return self._groups

    @property
    def text(self) -> str:
        """The Ovfile's text when the stamp was made."""
        return self._text.decode()

    def fresh(self, asked: Sequence[str]) -> int | None:
        """Return the number of targets that the words mean (none: all), None unless all are known to be fresh."""
        if self.edited:
            return None
        if not asked:
            return None if self.stale else self.count
        named = self.named(asked)
        if named is None or not self.stale.isdisjoint(named):
            return None
        words = set(asked)
        return sum(not words.isdisjoint(words_for(target)) for targets in named.values() for target in targets)

    def named(self, asked: Sequence[str]) -> dict[str, list[str]] | None:
        """Return the models that the words mean (none: all) with their targets; None if a word is unknown."""
        groups = {model: targets for model, _, targets in self._decoded() if model != SHARED}
        words = set(asked)
        unknown = words.difference(*(words_for(target) for targets in groups.values() for target in targets))
        if unknown:
            return None
        return {
            model: targets
            for model, targets in groups.items()
            if not words or any(not words.isdisjoint(words_for(target)) for target in targets)
        }

    def models(self) -> dict[str, tuple[list[str], Files | None]]:
        """Return the targets of every model and its files, None for a model that is not known to be fresh."""
        return {
            model: (targets, None if files is None or model in self.stale else self._files(files))
            for model, targets, files in self._slices()
            if model != SHARED
        }

    def shared(self) -> Files:
        """Return the shared paths without the Ovfile, such as ovmake's own code."""
        files = next(files for model, _, files in self._slices() if model == SHARED)
        return {} if files is None else self._files(slice(1, files.stop))

    def _files(self, part: slice) -> Files:
        numbers = self._now[NUMBERS * part.start : NUMBERS * part.stop].tolist()
        states = zip(*(numbers[place::NUMBERS] for place in range(NUMBERS)), strict=True)
        return {os.fsdecode(path): found for path, found in zip(self._paths[part], states, strict=True)}


def up_to_date(count: int) -> str:
    """Return the message for so many fresh targets."""
    return f"up to date: {count} target{'' if count == 1 else 's'}"


def look(folder: str, key: str) -> Stamp | None:
    """Return the stamp of the repo in `folder`, compared with its present state; None without a valid stamp."""
    try:
        here = os.getcwd()  # noqa: PTH109
        # Paths are relative: the kernel walks each of them from the root otherwise, a tenth of the time of a no-op.
        os.chdir(folder or ".")
        try:
            return _read(_stored(), key)
        finally:
            os.chdir(here)
    except (OSError, ValueError, OverflowError):
        return None


def _stored() -> bytes:
    """Return the sealed part of the stamp.

    Raises:
        ValueError: it is not this user's, or ovmake did not write it.
    """
    # In a stranger's repo it may be a link to an endless file, or a pipe without a writer.
    file = os.open(STAMP, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as stored:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise ValueError("no stamp")
        its_seal, data = stored.read(SEAL_BYTES), stored.read()
    key = read_key()
    if key is None or seal(key, data) != its_seal:
        raise ValueError("another user's")
    return data


def _read(data: bytes, key: str) -> Stamp:
    os.stat(DATABASE)  # noqa: PTH116 - without it, nothing is known of any target
    head, _, rest = data.partition(b"\n")
    form, count, *sizes = map(int, head.split())
    if form != FORMAT or sum(sizes) != len(rest):
        raise ValueError("another format, or torn")
    sections = []
    for size in sizes:
        sections.append(rest[:size])
        rest = rest[size:]
    stored_key, stored_surroundings, paths, states, groups, text = sections
    if stored_key != key.encode(errors="surrogateescape") or stored_surroundings != surroundings():
        raise ValueError("another Ovfile, or other tools")
    then = array("q")
    then.frombytes(states)
    split = paths.split(b"\0")
    if split.pop() != b"" or len(then) != NUMBERS * len(split):
        raise ValueError("torn")
    return Stamp(split, then, groups, text, count)


def _states(paths: list[bytes]) -> array[int]:
    """Return the concatenated states of files; zeros for a missing file.

    Raises:
        OverflowError: a number of more than 63 bits.
    """
    try:
        # Half of what a no-op takes. As a loop over the paths it is a tenth more.
        return array("q", chain.from_iterable(map(state, map(os.stat, paths))))
    except OSError:
        return array("q", chain.from_iterable(map(state_if_any, paths)))


def encoded(
    *,
    key: str,
    secret: bytes,
    ovfile: tuple[str, State, str, int],
    shared: Files,
    models: Mapping[str, tuple[list[str], Files | None]],
    looked_ns: int,
    around: Files,
) -> bytes | None:
    """Return the stamp of a look that began at `looked_ns`; None if no valid stamp is possible.

    `secret` is the user's key. `ovfile` is the Ovfile's name, state and text, and when it was read. `models` holds each
    model's targets, and the files that they depend on if all of them are fresh. `around` is ovmake's code and the
    package folders, see `around`. Paths are relative to the Ovfile's folder.
    """
    name, its_state, text, read_ns = ovfile
    if is_racy([its_state], read_ns) or is_racy((*shared.values(), *around.values()), looked_ns):
        return None
    settled: list[tuple[str, list[str], Files | None]] = [(SHARED, [], {name: its_state} | shared | around)]
    settled += [
        (model, targets, None if files is None or is_racy(files.values(), looked_ns) else files)
        for model, (targets, files) in models.items()
    ]
    paths = [os.fsencode(path) + b"\0" for _, _, files in settled for path in files or ()]
    numbers = [number for _, _, files in settled for found in (files or {}).values() for number in found]
    try:
        states = array("q", numbers).tobytes()
    except OverflowError:  # an inode of 64 bits
        return None
    listing = [[model, None if files is None else len(files), targets] for model, targets, files in settled]
    import json  # noqa: PLC0415 - see Stamp

    sections = (
        key.encode(errors="surrogateescape"),
        surroundings(),
        b"".join(paths),
        states,
        json.dumps(listing).encode(),
        text.encode(errors="surrogateescape"),
    )
    count = sum(len(targets) for _, targets, _ in settled)
    head = " ".join(str(number) for number in (FORMAT, count, *map(len, sections)))
    data = head.encode() + b"\n" + b"".join(sections)
    return seal(secret, data) + data


def surroundings() -> bytes:
    """Return the dependencies that are not files: Python, its search path, the CPU."""
    return os.fsencode(repr((sys.version, _package(), _installed()))) + _cpu()


def around() -> Files:
    """Return ovmake's own code, and the folders that packages are installed in, with their states."""
    # A missing folder would cost every no-op a second look, see `_states`.
    return _code(_package()) | {path: state_of(path) for path in _installed() if os.path.isdir(path)}  # noqa: PTH112


def _package() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


def _installed() -> list[str]:
    # Without the first (the script's folder, or with `-m` the working one): the remaining folders hold the packages.
    return sys.path if sys.flags.safe_path else sys.path[1:]


def _code(package: str) -> Files:
    found = {package: state_of(package)}
    with os.scandir(package) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                found[entry.path] = state(entry.stat())
            elif entry.is_dir() and entry.name != "__pycache__":
                found |= _code(entry.path)
    return found


def _cpu() -> bytes:
    """Return the first page of /proc/cpuinfo without the clock frequency: model and flags of the first core."""
    try:
        with open("/proc/cpuinfo", "rb") as file:  # noqa: PTH123
            lines = file.read(4096).partition(b"\n\n")[0].splitlines()
    except OSError:
        return b""
    return b"\n".join(line for line in lines if not line.startswith((b"cpu MHz", b"bogomips")))
