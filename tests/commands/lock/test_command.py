"""`ovmake lock` and `ovmake lock --check`: whole outputs of the real command, in repos whose actions were hashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.sharing.lock import Lock
from ovmake.lockfile.file import read_lock, write_lock
from ovmake.lockfile.text import HEADER, render
from tests.commands.gc.test_command import stored
from tests.lockfile.locks import lock
from tests.lockfile.repos import build, build_and_lock, out_of_date, ovfile, put
from tests.real import environment, ovmake, published


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Two models, built and locked."""
    put(tmp_path, ovfile("a", "b"), a="1", b="1")
    build_and_lock(tmp_path)
    return tmp_path


def said(root: Path, *words: str) -> tuple[int, str, str]:
    done = ovmake(root, "lock", *words)
    return done.returncode, done.stdout, done.stderr


def text(root: Path) -> str:
    return (root / "Ovfile.lock").read_text()


def test_it_writes_what_is_built(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a", "b"), a="1", b="1")
    build(tmp_path)

    assert (
        0,
        "a:fp32                   locked\nb:fp32                   locked\nwrote Ovfile.lock: 2 targets\n",
        "",
    ) == said(tmp_path)

    found = read_lock(tmp_path)
    assert found is not None
    one = found.targets["a:fp32"]
    assert ["models/a.pb"] == list(one.sources)
    assert ["a/fp32/a.bin", "a/fp32/a.xml", "a/fp32/record.json"] == list(one.outputs)
    assert {"openvino", "ovmake"} <= set(one.versions)
    assert ("avx2", "accuracy", 0.918, 0.9138) == (one.isa, one.metric, one.tensorflow, one.openvino)
    assert (0.0042, 0.001, 0.007, ("a/conv", "b/conv")) == (one.drop, one.drop_low, one.drop_high, one.reverted)


def test_outputs_are_those_that_are_published_and_stored(repo: Path) -> None:
    found = read_lock(repo)
    assert found is not None
    digests = {path.parent.name + path.name for path in stored(repo)}

    for block in found.targets.values():
        for path, digest in block.outputs.items():
            sha256, _, size = digest.partition(":")
            assert sha256 in digests
            assert int(size) == len(published(repo)[path])


def test_second_time_writes_nothing(repo: Path) -> None:
    before = (repo / "Ovfile.lock").stat()

    assert (0, "Ovfile.lock is unchanged: 2 targets\n", "") == said(repo)
    assert before.st_mtime_ns == (repo / "Ovfile.lock").stat().st_mtime_ns


def test_it_is_the_same_on_another_place(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    put(other, ovfile("b", "a"), a="1", b="1")
    build(other)

    assert 0 == said(other)[0]
    assert text(repo) == text(other)


def test_nothing_built_is_refused_with_what_to_build(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a", "b"), a="1", b="1")

    status, stdout, stderr = said(tmp_path)

    assert (1, "") == (status, stdout)
    assert stderr == (
        "error[nothing-built]: Ovfile.lock is not written: no target is built and up to date\n"
        "  = note: a:fp32: not built, or stale\n"
        "  = note: b:fp32: not built, or stale\n"
        "help: run `ovmake build`, then `ovmake lock`\n"
    )
    assert not (tmp_path / "Ovfile.lock").exists()


def test_target_that_is_not_built_is_named_and_the_others_are_locked(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a", "b"), a="1", b="1")
    build(tmp_path, "a:fp32")

    status, stdout, _ = said(tmp_path)

    assert 1 == status
    assert stdout == (
        "a:fp32                   locked\n"
        "b:fp32                   must be built not built, or stale\n"
        "wrote Ovfile.lock: 1 target; 1 must be built: run `ovmake build`, then `ovmake lock`\n"
    )


def test_stale_target_keeps_its_block_and_must_be_built(repo: Path) -> None:
    before = text(repo)
    put(repo, ovfile("a", "b"), a="2")

    status, stdout, _ = said(repo)

    assert (1, before) == (status, text(repo))
    assert "a:fp32                   must be built not built, or stale\n" in stdout


def test_changed_and_built_again_is_updated(repo: Path) -> None:
    put(repo, ovfile("a", "b"), a="2")
    build(repo)

    assert (0, "a:fp32                   updated\nwrote Ovfile.lock: 2 targets\n", "") == said(repo)


def test_clone_without_a_build_keeps_what_the_present_inputs_confirm(
    repo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone = tmp_path_factory.mktemp("clone")
    put(clone, ovfile("a", "b"), a="1", b="1")
    (clone / "Ovfile.lock").write_text(text(repo))

    status, stdout, stderr = said(clone)

    assert (0, "") == (status, stderr)
    assert (
        "a:fp32                   kept          not built here; its block matches the Ovfile and the sources\n"
        in stdout
    )
    assert text(repo) == text(clone)


def test_model_that_left_the_ovfile_leaves_the_lock(repo: Path) -> None:
    put(repo, ovfile("a"))

    assert (1, "b:fp32 is no longer in the Ovfile\n", "") == said(repo, "--check")
    assert (
        0,
        "b:fp32                   removed       no longer in the Ovfile\nwrote Ovfile.lock: 1 target\n",
        "",
    ) == said(repo)
    assert '"b:fp32"' not in text(repo)


def test_some_targets_leave_the_others_alone(repo: Path) -> None:
    put(repo, ovfile("a", "b"), a="2", b="2")
    build(repo)
    before = read_lock(repo)

    assert (0, "a:fp32                   updated\nwrote Ovfile.lock: 1 target\n", "") == said(repo, "a")

    after = read_lock(repo)
    assert before is not None
    assert after is not None
    assert before.targets["b:fp32"] == after.targets["b:fp32"]
    assert before.targets["a:fp32"] != after.targets["a:fp32"]


def test_edited_output_is_not_locked(repo: Path) -> None:
    (repo / "Ovfile.lock").unlink()
    (repo / "build/a/fp32/a.bin").write_bytes(b"mine")

    status, stdout, _ = said(repo)

    assert 1 == status
    assert "a:fp32                   must be built not built, or stale\n" in stdout


def test_record_of_another_ovmake_is_told(repo: Path) -> None:
    from tests.real import build as build_without_records

    (repo / "Ovfile.lock").unlink()
    put(repo, ovfile("a", "b"), a="3", b="3")
    build_without_records(repo)

    status, _, stderr = said(repo)

    assert 1 == status
    assert "note: a:fp32: another version of ovmake wrote build/a/fp32/record.json: build it with --force\n" in stderr


def test_check_names_what_is_out_of_date(repo: Path) -> None:
    assert (0, "Ovfile.lock is up to date: 2 targets\n", "") == said(repo, "--check")

    put(repo, ovfile("a", "b", "new", b="batch = 4"), a="2", new="1")

    status, stdout, _ = said(repo, "--check")

    assert 1 == status
    assert stdout == (
        "a:fp32 is out of date: `models/a.pb` changed\n"
        "b:fp32 is out of date: its settings changed: `batch`\n"
        "new:fp32 is not in the lock\n"
    )
    assert (1, "a:fp32 is out of date: `models/a.pb` changed\n", "") == said(repo, "--check", "a")


def test_check_cannot_name_settings_of_a_build_that_was_elsewhere(repo: Path) -> None:
    subprocess.run(["rm", "-rf", repo / ".ovmake"], check=True)
    put(repo, ovfile("a", "b", b="batch = 4"))

    assert (1, "b:fp32 is out of date: its settings changed\n", "") == said(repo, "--check")


def test_check_does_not_name_settings_of_another_build(repo: Path) -> None:
    put(repo, ovfile("a", "b", b="batch = 2"))
    build(repo)
    put(repo, ovfile("a", "b", b="batch = 4"))

    assert (1, "b:fp32 is out of date: its settings changed\n", "") == said(repo, "--check")


def test_check_of_a_source_that_is_gone(repo: Path) -> None:
    (repo / "models/a.pb").unlink()

    assert (1, "a:fp32 is out of date: `models/a.pb` does not exist\n", "") == said(repo, "--check")


def test_check_needs_no_state_and_writes_nothing(repo: Path) -> None:
    subprocess.run(["rm", "-rf", repo / ".ovmake", repo / "build"], check=True)
    before = sorted(repo.rglob("*"))
    for path in (repo, repo / "models"):
        path.chmod(0o555)
    try:
        assert (0, "Ovfile.lock is up to date: 2 targets\n", "") == said(repo, "--check")
    finally:
        for path in (repo, repo / "models"):
            path.chmod(0o755)
    assert before == sorted(repo.rglob("*"))


def test_newer_tools_do_not_make_the_lock_out_of_date(repo: Path) -> None:
    found = read_lock(repo)
    assert found is not None
    newer = {name: replace(one, versions={"openvino": "2999.1"}) for name, one in found.targets.items()}
    write_lock(repo, Lock(targets=newer))

    assert 0 == said(repo, "--check")[0]


# None of these may be imported, nor be found to be installed.
WITHOUT = """
import sys
for name in ("tensorflow", "openvino", "nncf", "numpy", "keras", "PIL", "sklearn", "scipy"):
    sys.modules[name] = None
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [sys.argv.pop(1)]
from ovmake.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_check_works_where_no_framework_is_installed(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import tomli

    bare = tmp_path_factory.mktemp("bare")
    (bare / "tomli").symlink_to(Path(tomli.__file__).parent)
    for extension in Path(tomli.__file__).parents[1].glob("*__mypyc*.so"):  # the compiled parts of tomli
        (bare / extension.name).symlink_to(extension)
    command = [sys.executable, "-c", WITHOUT, str(bare), "lock", "--check"]

    done = subprocess.run(command, cwd=repo, env=environment(), capture_output=True, text=True, check=False)

    assert (0, "Ovfile.lock is up to date: 2 targets\n", "") == (done.returncode, done.stdout, done.stderr)


def test_check_without_a_lock_says_what_to_do(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a"), a="1")

    status, stdout, stderr = said(tmp_path, "--check")

    assert (1, "") == (status, stdout)
    assert stderr.startswith("error[no-lock]: there is no ")
    assert stderr.endswith(
        "/Ovfile.lock\nhelp: `ovmake build` and `ovmake lock` make it, where the models are built: commit it there\n"
    )


def test_json_is_one_object(repo: Path) -> None:
    put(repo, ovfile("a", "b"), a="2")

    checked, written = (ovmake(repo, "lock", "--json", *words) for words in (["--check"], []))

    assert {
        "format": 1,
        "lock": "Ovfile.lock",
        "up-to-date": False,
        "targets": {
            "a:fp32": {
                "state": "changed",
                "settings": False,
                "changed-settings": [],
                "sources": {"models/a.pb": "changed"},
            }
        },
    } == json.loads(checked.stdout)
    assert {
        "a:fp32": {"what": "must build", "why": "not built, or stale", "merged": ""},
        "b:fp32": {"what": "unchanged", "why": "", "merged": ""},
    } == json.loads(written.stdout)["targets"]


def test_name_of_a_source_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/\x1b[2J.pb").write_text("1")
    (tmp_path / "Ovfile").write_text(ovfile("a").replace("a.pb", "\\u001b[2J.pb"))
    write_lock(tmp_path, lock("a:fp32"))
    build(tmp_path)

    checked, written = said(tmp_path, "--check"), said(tmp_path)

    assert "a:fp32 is out of date: `data/val.npz` is no longer used, `models/\\x1b[2J.pb` is new, " in checked[1]
    assert "note: a:fp32: Ovfile.lock: `models/\\x1b[2J.pb` in `sources` has control characters\n" in written[2]
    assert "\x1b" not in "".join((*checked[1:], *written[1:]))


def test_other_ovfile_has_a_lock_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a"), a="1")
    build(tmp_path)
    (tmp_path / "Other").write_text(ovfile("a"))

    assert (0, "a:fp32                   locked\nwrote Other.lock: 1 target\n", "") == said(tmp_path, "-f", "Other")
    assert not (tmp_path / "Ovfile.lock").exists()


def test_unknown_target_is_an_error_of_the_command_line(repo: Path) -> None:
    status, _, stderr = said(repo, "nowhere")

    assert 2 == status
    assert stderr.startswith("error[unknown-target]: unknown target `nowhere`\n")


def test_link_in_its_place_is_neither_read_nor_followed(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "file"
    outside.write_text("mine\n")
    for target, words in (("/etc/passwd", ()), (str(outside), ()), ("/dev/zero", ("--check",)), ("nowhere", ())):
        (repo / "Ovfile.lock").unlink()
        (repo / "Ovfile.lock").symlink_to(target)
        status, stdout, stderr = said(repo, *words)
        assert (1, "") == (status, stdout)
        assert stderr.startswith("error[foreign-entry]: `Ovfile.lock` is a link")
        assert "root" not in stderr
    assert "mine\n" == outside.read_text()


def test_pipe_or_folder_in_its_place_does_not_hang(repo: Path) -> None:
    (repo / "Ovfile.lock").unlink()
    os.mkfifo(repo / "Ovfile.lock")
    assert 1 == said(repo, "--check")[0]

    (repo / "Ovfile.lock").unlink()
    (repo / "Ovfile.lock").mkdir()
    status, _, stderr = said(repo)
    assert 1 == status
    assert stderr.startswith("error[lock-unreadable]: cannot read ")


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 10_000, b"\x7fELF\xff\xfe", b"[a]\n" * 10_000, b'["a:fp32"]\n' * 10_000, b"a." * 200_000],
    ids=["NUL", "binary", "tables", "headers", "deep"],
)
def test_hostile_lock_is_an_error_in_words(data: bytes, repo: Path) -> None:
    (repo / "Ovfile.lock").write_bytes(data)

    status, stdout, stderr = said(repo)

    assert (1, "") == (status, stdout)
    assert stderr.startswith("error[lock-unreadable]: ")
    assert "Traceback" not in stderr
    assert data == (repo / "Ovfile.lock").read_bytes()


def test_huge_lock_is_not_read_whole(repo: Path) -> None:
    with (repo / "Ovfile.lock").open("wb") as file:
        file.truncate(10**12)

    status, _, stderr = said(repo, "--check")

    assert 1 == status
    assert stderr.startswith("error[lock-unreadable]: Ovfile.lock is larger than 64 MB, the limit\n")


def test_source_of_a_lock_is_never_opened(repo: Path) -> None:
    found = read_lock(repo)
    assert found is not None
    one = found.targets["a:fp32"]
    write_lock(repo, Lock(targets={**found.targets, "a:fp32": replace(one, sources={"/dev/zero": f"{one.inputs}:1"})}))

    status, stdout, _ = said(repo, "--check")

    assert 1 == status
    assert stdout == "a:fp32 is out of date: a merge combined two blocks of it\n"


def test_edited_block_is_a_conflict_that_the_command_resolves(repo: Path) -> None:
    whole = text(repo)
    (repo / "Ovfile.lock").write_text(whole.replace("drop = 0.0042", "drop = 0.0001", 1))

    status, _, stderr = said(repo, "--check")

    assert 1 == status
    assert stderr.startswith("error[lock-conflict]: Ovfile.lock has a block of `a:fp32` that was edited, or combined ")
    assert 0 == said(repo)[0]
    assert whole == text(repo)


def test_two_blocks_of_a_target_are_merged(repo: Path) -> None:
    whole = text(repo)
    (repo / "Ovfile.lock").write_text(render(lock("a:fp32")) + whole)
    subprocess.run(["rm", "-rf", repo / ".ovmake"], check=True)

    status, stdout, _ = said(repo)

    assert (0, whole) == (status, text(repo))
    assert (
        "a:fp32                   kept          both sides differ; one matches the Ovfile and the sources; " in stdout
    )


def test_conflict_is_merged_whole_whichever_target_is_asked_for(repo: Path) -> None:
    whole = text(repo)
    (repo / "Ovfile.lock").write_text(f"<<<<<<< a\n{render(lock('b:fp32', 'old:fp32'))}=======\n{whole}>>>>>>> b\n")

    status, stdout, _ = said(repo, "a")

    assert (0, whole) == (status, text(repo))
    assert [line.split()[:2] for line in stdout.splitlines()] == [
        *(["a:fp32", "unchanged"], ["b:fp32", "unchanged"], ["old:fp32", "removed"], ["wrote", "Ovfile.lock:"]),
    ]


# Dies as by `kill -9` at the first event of that name that is about the lock.
DYING = """
import os, sys
event, name = sys.argv[1], "Ovfile.lock"
def hook(found, arguments):
    if found == event and any(isinstance(one, str) and name in one for one in arguments):
        os._exit(137)
sys.addaudithook(hook)
from ovmake.cli import main
sys.exit(main(["lock"]))
"""


@pytest.mark.parametrize("event", ["os.rename", "os.remove", "open"])
def test_kill_while_writing_leaves_the_old_lock_whole(event: str, repo: Path) -> None:
    put(repo, ovfile("a", "b"), a="2")
    build(repo)
    before = text(repo)

    died = subprocess.run([sys.executable, "-c", DYING, event], cwd=repo, env=environment(), check=False)

    assert (137, before) == (died.returncode, text(repo))
    build_and_lock(repo)
    assert [] == out_of_date(repo)
    assert ["Ovfile", "Ovfile.lock"] == sorted(path.name for path in repo.iterdir() if path.is_file())


def test_disk_that_is_full_leaves_the_old_lock_whole(repo: Path) -> None:
    # A limit on the size of files is the one that stops root, too; SQLite needs 32 kB.
    names = tuple(f"m{number}" for number in range(60))
    put(repo, ovfile(*names), **dict.fromkeys(names, "1"))
    build(repo)
    before = text(repo)

    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 40 && exec "$0" -m ovmake lock', sys.executable],
        cwd=repo,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, before) == (done.returncode, text(repo))
    assert f"error[cannot-write]: cannot write {repo}/Ovfile.lock: File too large\n" == done.stderr
    assert [] == [path for path in repo.iterdir() if path.name.endswith(".tmp")]


def test_two_at_once_leave_a_whole_lock(repo: Path) -> None:
    put(repo, ovfile("a", "b"), a="2", b="2")
    build(repo)
    command = [sys.executable, "-m", "ovmake", "lock"]
    started = [subprocess.Popen(command, cwd=repo, env=environment(), stdout=subprocess.DEVNULL) for _ in range(4)]

    assert [0] * 4 == [process.wait(timeout=120) for process in started]
    assert 0 == said(repo, "--check")[0]
    assert text(repo).startswith(HEADER)
    assert [] == [path for path in repo.iterdir() if path.name.endswith(".tmp")]
