"""The cold build of a second clone that finds everything in a remote cache, beside copying the same bytes.

    python tests/benchmarks/clones.py REPO [--rounds 5] [--scratch DIR]

REPO is a folder with an Ovfile and its sources, such as examples/zoo after `fetch.py`. A first clone builds it and
pushes to a SeaweedFS on this machine. Then in turns, each into a new folder, with the same six connections:

    ovmake     `ovmake build` in a second clone: it hashes all sources, restores all results, and publishes
    obstore    a process that copies the same objects, in chunks of 1 MB; nothing is checked, flushed or published
    script     what a careful script does: the same, every file flushed to the disk, its digest checked, and a copy of
               what is published put into a build folder, flushed as well

Prints Markdown: medians, and ratios with their range over rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import Spent, cpu, in_turns, machine, ms, ratio, say, spent, table, wall  # noqa: E402
from tests.remote.servers import seaweed  # noqa: E402

COPY = """
import hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import obstore
from obstore.store import S3Store

endpoint, careful, build = sys.argv[1], sys.argv[2] == "careful", Path(sys.argv[3])
store = S3Store("shared", prefix="clones", endpoint=endpoint, region="us-east-1", virtual_hosted_style_request=False,
                client_options={"allow_http": True})
place, published = Path("copied"), Path("published")
place.mkdir(), published.mkdir()
wanted = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in build.rglob("*") if path.is_file()}


def take(path):
    target = place / path.replace("/", "-")
    with target.open("wb") as file:
        for chunk in obstore.get(store, path).stream(min_chunk_size=1_000_000):
            file.write(chunk)
        if careful:
            file.flush(), os.fsync(file.fileno())
    if careful and path.startswith("cas/"):
        with target.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == path[4:]
        if path[4:] in wanted:
            with target.open("rb") as file, (published / target.name).open("wb") as copy:
                while chunk := file.read(1_000_000):
                    copy.write(chunk)
                copy.flush(), os.fsync(copy.fileno())


listed = [one["path"] for part in obstore.list(store) for one in part]
with ThreadPoolExecutor(6) as threads:
    list(threads.map(take, listed))
"""


def clone(repo: Path, folder: Path, endpoint: str) -> Path:
    """Copy a repo without anything that was built in it, and let it name the remote."""
    shutil.copytree(repo, folder, ignore=shutil.ignore_patterns("build", ".ovmake"))
    with (folder / "Ovfile").open("a") as file:
        file.write(f'\n[cache]\nremote = "s3://shared/clones"\nendpoint = "{endpoint}"\n')
    return folder


def ovmake(folder: Path, environment: Mapping[str, str], *words: str) -> Spent:
    """Run the command as a user does."""
    return spent([sys.executable, "-m", "ovmake", *words], folder, environment)


def build(folder: Path, environment: Mapping[str, str]) -> Spent:
    """Build a clone in which nothing was built."""
    for name in ("build", ".ovmake"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return ovmake(folder, environment, "build")


def copy(scratch: Path, environment: Mapping[str, str], endpoint: str, how: str, built: Path) -> Spent:
    """Copy the same objects into an empty folder."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return spent([sys.executable, "-c", COPY, endpoint, how, str(built)], scratch, environment)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scratch", type=Path)
    given = parser.parse_args()
    scratch = given.scratch or Path(tempfile.mkdtemp(prefix="ovmake-clones-"))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(scratch / "state"),
        "AWS_ACCESS_KEY_ID": "ak",
        "AWS_SECRET_ACCESS_KEY": "sk",
    }
    with seaweed(scratch / "weed") as server:
        server.shell("s3.bucket.create -name shared")
        one, two = (clone(given.repo, scratch / name, server.endpoint) for name in ("one", "two"))
        for folder in (one, two):
            ovmake(folder, environment, "cache", "trust", "--remote", "--yes")
        say("building and pushing")
        ovmake(one, environment, "build", "--push")
        subjects = {
            "ovmake": partial(build, two, environment),
            **{
                name: partial(copy, scratch / name, environment, server.endpoint, how, one / "build")
                for name, how in (("obstore", "plain"), ("script", "careful"))
            },
        }
        runs = in_turns(subjects, given.rounds)
    size = sum(path.stat().st_size for path in (scratch / "obstore/copied").iterdir())
    rows = [
        [
            name,
            ms(wall(runs[name])),
            ms(cpu(runs[name])),
            str(ratio(runs[name], runs["obstore"])),
            str(ratio(runs[name], runs["script"])),
        ]
        for name in subjects
    ]
    print(table([f"{size / 1e6:.0f} MB of {given.repo.name}", "wall", "CPU", "to obstore", "to script"], rows))
    print(f"\n{machine()}")
    if given.scratch is None:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
