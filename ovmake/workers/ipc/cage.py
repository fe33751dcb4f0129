"""Cage a worker: limit the files that an action may read and write, and forbid all connections. Linux only.

    enter(Cage(read=(...), list=(...), write=(...))) -> str     "" if it is complete; else the missing part, and why

A model is a program, and a framework that reads it may have security holes. A caged process can open Python, system
libraries, the devices that frameworks compute on, and the files that its action names. It can open no other file.

    Landlock (5.13)      files: only granted ones; TCP from 6.7, signals and abstract sockets from 6.12
    seccomp              no sockets of any kind, no io_uring (which can open sockets itself), no kernel keyrings
    capabilities         root keeps only those that let it read its users' files
    no_new_privs         a program started inside gets no more rights

It takes a handful of system calls and no package. Landlock also protects the memory and environment of other processes
of the same user (ptrace(2) checks guard /proc/PID/environ). A cage lasts until the process ends; processes that it
starts are in the same cage.

Standard library only. Sources: Documentation/userspace-api/landlock.rst, linux/landlock.h, linux/seccomp.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# System call numbers, the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag: return the ABI
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG, _MAKE_SYM = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 12
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
# ABI -> the rights that it knows: all of them are removed, and some granted again.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP_ABI, _SCOPE_ABI = 4, 6
_ALL_TCP = 3  # bind, connect
_ALL_SCOPES = 3  # abstract sockets, signals

_READ = _READ_FILE | _READ_DIR
_RUN = _READ | _EXECUTE
_MAKE, _REMOVE = _MAKE_DIR | _MAKE_REG | _MAKE_SYM, _REMOVE_DIR | _REMOVE_FILE
_WRITE = _READ | _WRITE_FILE | _TRUNCATE | _MAKE | _REMOVE | _REFER
_DEVICE = _READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEVICE

# Programs and libraries, the kernel's information, and compute devices. From /etc, the files that the C library and
# the loaders of drivers read.
_PROGRAMS = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt/intel", "/opt/rocm", "/nix/store", "/gnu/store")
_SYSTEM = (
    *("/proc", "/sys", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone"),
    *("/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/OpenCL", "/etc/alternatives", "/etc/locale.alias"),
    *("/etc/mime.types", "/etc/machine-id", "/dev/urandom", "/dev/random", "/dev/zero"),
)
_DEVICES = ("/dev/null", "/dev/full", "/dev/dri", "/dev/accel", "/dev/kfd")

# The folder that contains the package `ovmake`: Python searches it.
_AROUND = str(Path(__file__).parents[3])

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
# Machine -> its number in seccomp's data; the numbers of capset, socket, add_key, request_key, keyctl.
_MACHINES = {
    "x86_64": (0xC000003E, 126, (41, 248, 249, 250)),
    "aarch64": (0xC00000B7, 91, (198, 217, 218, 219)),
}
_IO_URING_SETUP = 425
_X32 = 0x40000000  # x86-64's second ABI, with different numbers for the same calls
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_CAPABILITIES_3 = 0x20080522
_LEFT_TO_ROOT = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: Landlock limits the files


@dataclass(frozen=True, slots=True, kw_only=True)
class Cage:
    """The paths that an action may use. They are absolute; links in them are resolved on entry.

    `read`: files, and folders with everything below. `list`: folders whose file names may be listed. `write`: folders
    that it may change in any way, and files that it may write.
    """

    read: tuple[str, ...] = ()
    list: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


def enter(cage: Cage) -> str:
    """Put this process, which has one thread, and all processes that it starts into the cage, for good."""
    if sys.platform != "linux":
        return "there are cages on Linux only"
    call = ctypes.CDLL(None, use_errno=True)
    if call.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return _why("no_new_privs")
    return "; ".join(filter(None, [_files(call, cage), _drop_capabilities(call), _system_calls(call)]))


@cache
def landlock_abi() -> int:
    """Return the version of Landlock; 0 if the kernel lacks it or it is off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _VERSION)))


# files


def _files(call: ctypes.CDLL, cage: Cage) -> str:
    abi = landlock_abi()
    if not abi:
        return "the kernel has no Landlock, or it is off: workers can read and write all that you can"
    rights = max((known for version, known in _RIGHTS.items() if version <= abi))
    attributes = struct.pack("QQQ", rights, _ALL_TCP if abi >= _TCP_ABI else 0, _ALL_SCOPES if abi >= _SCOPE_ABI else 0)
    size = 24 if abi >= _SCOPE_ABI else 16 if abi >= _TCP_ABI else 8
    ruleset = call.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return _why("Landlock's rules")
    try:
        for path, allowed in _grants(cage):
            if why := _grant(call, ruleset, path, allowed & rights):
                return why
        return _why("Landlock") if call.syscall(_RESTRICT_SELF, ruleset, 0) else ""
    finally:
        os.close(ruleset)


def _grants(cage: Cage) -> Iterator[tuple[str, int]]:
    for paths, allowed in (
        ((*_PROGRAMS, *python()), _RUN),
        ((*_SYSTEM, *_settings()), _READ),
        (_DEVICES, _DEVICE),
        (cage.read, _READ),
        ((*cage.list, _AROUND), _READ_DIR),
        (cage.write, _WRITE),
    ):
        for path in paths:
            yield path, allowed


def _settings() -> tuple[str, ...]:
    """Return the user's files that frameworks read on import: Keras fails if it may not read its own."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")  # noqa: PTH111
    return (f"{home}/keras.json",)


@cache  # a worker calls this before it forks: reading a framework's mapped files takes 20 ms
def python() -> tuple[str, ...]:
    """Return the paths of Python, its packages, and the loaded libraries."""
    package = str(Path(_AROUND) / "ovmake")
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, package, os.path.dirname(os.path.realpath(sys.executable))}  # noqa: PTH120
    # In a checkout, the folder that ovmake is imported from contains more than packages.
    checkout = {_AROUND} if Path(_AROUND, "pyproject.toml").exists() else set()
    found |= {path for path in sys.path if path} - checkout
    with contextlib.suppress(OSError), open("/proc/self/maps", "rb") as mapped:  # noqa: PTH123
        files = {line.split(maxsplit=5)[5].rstrip() for line in mapped if b" /" in line}
        found |= {os.path.dirname(os.fsdecode(path)) for path in files if b".so" in path}  # noqa: PTH120
    return tuple(_outermost(found - {"/", ""}))


def _outermost(folders: Iterable[str]) -> Iterator[str]:
    """Drop folders that are inside of another one."""
    last = "/"
    for folder in sorted(folder.rstrip("/") + "/" for folder in folders):
        if last == "/" or not folder.startswith(last):
            last = folder
            yield folder.rstrip("/")


def _grant(call: ctypes.CDLL, ruleset: int, path: str, allowed: int) -> str:
    try:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # absent on this machine
        return ""
    try:
        if not os.path.isdir(f"/proc/self/fd/{file}"):  # noqa: PTH112
            allowed &= _OF_FILES
        rule = struct.pack("=Qi", allowed, file)
        if allowed and call.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0):
            return _why(f"Landlock's rule for {path}")
        return ""
    finally:
        os.close(file)


# system calls


def _system_calls(call: ctypes.CDLL) -> str:
    known = _MACHINES.get(os.uname().machine)
    if known is None:
        return f"there is no system call filter for {os.uname().machine}: workers can open connections"
    program = _filter(known)
    code = ctypes.create_string_buffer(program, len(program))
    filters = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if call.prctl(_PR_SET_SECCOMP, _FILTER, filters, 0, 0):
        return _why("the filter of system calls")
    return ""


def _filter(known: tuple[int, int, tuple[int, ...]]) -> bytes:
    """Return the BPF program for each system call: it refuses some, and allows the rest."""
    architecture, _, refused = known
    numbers = (*refused, _IO_URING_SETUP)
    lines = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # the number
        (_IF_AT_LEAST, len(numbers) + 1, 0, _X32),
        *((_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | errno.EACCES),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _drop_capabilities(call: ctypes.CDLL) -> str:
    known = _MACHINES.get(os.uname().machine)
    if known is None or os.geteuid() != 0:
        return ""
    held = _held()
    left = held & _LEFT_TO_ROOT
    header = struct.pack("Ii", _CAPABILITIES_3, 0)
    data = struct.pack("6I", left, left, 0, 0, 0, 0)
    return _why("root's capabilities") if call.syscall(known[1], header, data) else ""


def _held() -> int:
    """Return the capabilities that this process has, as bits."""
    with open("/proc/self/status", "rb") as status:  # noqa: PTH123
        return next(int(line.split()[1], 16) for line in status if line.startswith(b"CapPrm"))


def _why(what: str) -> str:
    return f"{what}: {os.strerror(ctypes.get_errno())}"
