"""A remote is used once the user accepted exactly it, for this repo; or where CI's environment names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.ovfile.schema.sharing import Cache
from ovmake.remote.acceptance import (
    ENDPOINT,
    REMOTE,
    TRUSTED_KEYS,
    Unaccepted,
    accept,
    accepted_for,
    accepted_settings,
    remote_of,
)
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.signing import public_key_for
from tests.real import environment

FIRST, SECOND = (public_key_for(bytes([number]) * 32) for number in (1, 2))
CACHE = Cache(
    remote="s3://team/models", endpoint="https://minio.example.org", region="eu-1", trusted_keys=(FIRST, SECOND)
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder, which nothing has made yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state/ovmake"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repo."""
    (tmp_path / "repo").mkdir()
    return tmp_path / "repo"


def settings(cache: Cache, root: Path, **variables: str) -> RemoteSettings:
    found = accepted_settings(cache, root, variables, None)
    assert isinstance(found, RemoteSettings), found
    return found


def warning(cache: Cache, root: Path, **variables: str) -> Diagnostic:
    found = accepted_settings(cache, root, variables, None)
    assert isinstance(found, Unaccepted), found
    assert ("remote-not-accepted", "warning") == (found.diagnostic.code, found.diagnostic.severity)
    return found.diagnostic


def files(state: Path) -> list[Path]:
    return sorted(state.glob("*remote*"))


# what the user accepted


def test_nothing_is_accepted_at_first(root: Path, state: Path) -> None:
    found = warning(CACHE, root)

    assert "`s3://team/models`, is not accepted for this repo" in found.message
    expected = ("endpoint: `https://minio.example.org`", f"trusted key: `{FIRST}`", f"trusted key: `{SECOND}`")
    assert expected == found.notes
    assert "ovmake cache trust" in found.help
    assert not state.exists()


def test_what_was_accepted_is_used(root: Path, state: Path) -> None:
    accept(CACHE, root)

    found = settings(CACHE, root)

    assert (CACHE.remote, CACHE.endpoint, CACHE.region) == (found.url, found.endpoint, found.region)
    assert CACHE.trusted_keys == found.trusted_keys
    (kept,) = files(state)
    assert 0o600 == kept.stat().st_mode & 0o777
    assert 0o700 == state.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"remote": "s3://other/models"}, "remote was `s3://team/models`, and is `s3://other/models`"),
        ({"endpoint": ""}, "endpoint was `https://minio.example.org`, and is none"),
        ({"endpoint": "https://x.example"}, "endpoint was `https://minio.example.org`, and is `https://x.example`"),
        ({"region": "eu-2"}, "region was `eu-1`, and is `eu-2`"),
        ({"trusted_keys": (FIRST,)}, f"key removed: `{SECOND}`"),
        ({"trusted_keys": (FIRST, SECOND, public_key_for(b"3" * 32))}, f"key added: `{public_key_for(b'3' * 32)}`"),
    ],
)
def test_any_change_asks_again_and_says_what_changed(root: Path, changed: dict[str, str], note: str) -> None:
    accept(CACHE, root)

    found = warning(replace(CACHE, **changed), root)  # type: ignore[arg-type]

    assert "has changed since you accepted it" in found.message
    assert (note,) == found.notes


def test_the_order_of_keys_and_a_repeated_key_are_no_change(root: Path) -> None:
    accept(CACHE, root)

    assert () == accepted_for(replace(CACHE, trusted_keys=(SECOND, FIRST, SECOND)), root)


def test_to_write_is_asked_for_and_to_write_no_more_is_not(root: Path) -> None:
    pushing = replace(CACHE, push=True)
    accept(CACHE, root)

    assert ("push is on: builds here would upload what they make",) == warning(pushing, root).notes

    accept(pushing, root)
    assert settings(pushing, root).push
    assert not settings(CACHE, root).push


def test_going_back_to_what_was_accepted_earlier_asks_again(root: Path) -> None:
    accept(replace(CACHE, trusted_keys=(FIRST,)), root)
    accept(replace(CACHE, trusted_keys=(SECOND,)), root)

    warning(replace(CACHE, trusted_keys=(FIRST,)), root)


def test_a_repo_that_is_copied_or_moved_asks_again(root: Path, tmp_path: Path) -> None:
    accept(CACHE, root)
    shutil.copytree(root, tmp_path / "copy")

    warning(CACHE, tmp_path / "copy")
    root.rename(tmp_path / "moved")

    warning(CACHE, tmp_path / "moved")


def test_a_link_to_the_repo_is_the_repo(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    accept(CACHE, tmp_path / "link")

    settings(CACHE, root)


def test_the_acceptance_of_another_repo_does_not_count(root: Path, tmp_path: Path, state: Path) -> None:
    (tmp_path / "other").mkdir()
    accept(CACHE, root)
    (ours,) = files(state)
    accept(replace(CACHE, remote="s3://else"), tmp_path / "other")
    (theirs,) = set(files(state)) - {ours}
    shutil.copyfile(ours, theirs)

    warning(CACHE, tmp_path / "other")


# the file


def ignored(root: Path) -> str:
    (note,) = [note for note in warning(CACHE, root).notes if "ignored" in note]
    return note


def test_an_edited_acceptance_counts_as_none(root: Path, state: Path) -> None:
    accept(replace(CACHE, remote="s3://other"), root)
    (kept,) = files(state)
    kept.write_bytes(kept.read_bytes().replace(b"s3://other", b"s3://team/models"))

    assert "this user did not make it, or it was edited" in ignored(root)


def test_the_acceptance_of_another_key_counts_as_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(CACHE, root)
    monkeypatch.setenv("OVMAKE_STATE_KEY", "somebody else, elsewhere")

    assert "this user did not make it" in ignored(root)


@pytest.mark.parametrize("data", [b"", b"\n", b"x" * 10_000, b"{}", b"\xff\n\xff"])
def test_a_damaged_acceptance_counts_as_none(root: Path, state: Path, data: bytes) -> None:
    accept(CACHE, root)
    files(state)[0].write_bytes(data)

    ignored(root)


def test_a_linked_file_is_not_followed(root: Path, state: Path, tmp_path: Path) -> None:
    accept(CACHE, root)
    (kept,) = files(state)
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")

    ignored(root)
    accept(CACHE, root)

    settings(CACHE, root)
    assert not kept.is_symlink()


def test_a_linked_folder_is_not_followed(root: Path, state: Path, tmp_path: Path) -> None:
    accept(CACHE, root)
    state.rename(tmp_path / "elsewhere")
    state.symlink_to(tmp_path / "elsewhere")

    ignored(root)
    with pytest.raises(OvmakeError) as caught:
        accept(CACHE, root)

    assert "acceptance-not-kept" == caught.value.diagnostics[0].code


def test_a_folder_that_others_write_to_is_not_believed(root: Path, state: Path) -> None:
    accept(CACHE, root)
    state.chmod(0o777)

    assert "other users can write to" in ignored(root)
    with pytest.raises(OvmakeError, match="other users can write to"):
        accept(CACHE, root)


def test_a_file_that_others_read_is_not_believed(root: Path, state: Path) -> None:
    accept(CACHE, root)
    files(state)[0].chmod(0o644)

    ignored(root)


def test_a_pipe_does_not_make_anybody_wait(root: Path, state: Path) -> None:
    accept(CACHE, root)
    (kept,) = files(state)
    kept.unlink()
    os.mkfifo(kept, 0o600)

    ignored(root)


def test_without_a_state_folder_nothing_is_accepted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.delenv("HOME")

    warning(CACHE, root)
    with pytest.raises(OvmakeError, match="neither HOME nor XDG_STATE_HOME"):
        accept(CACHE, root)


def test_without_xdg_state_home_it_is_below_home(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    accept(CACHE, root)

    settings(CACHE, root)
    assert 1 == len(files(tmp_path / "home/.local/state/ovmake"))


ACCEPT = """
import sys
from pathlib import Path
from ovmake.ovfile.schema.sharing import Cache
from ovmake.remote.acceptance import accept
for number in range(50):
    accept(Cache(remote=f"s3://{sys.argv[2]}"), Path(sys.argv[1]))
print(*(name for name in sys.modules if name.startswith("obstore")))
"""


def test_of_two_processes_that_accept_at_once_one_wins_whole(root: Path, state: Path) -> None:
    command = [sys.executable, "-c", ACCEPT, str(root)]
    both = [
        subprocess.Popen([*command, name], env=environment(), stdout=subprocess.PIPE, text=True) for name in ("a", "b")
    ]
    loaded = [process.communicate(timeout=60)[0].strip() for process in both]

    assert [0, 0] == [process.returncode for process in both]
    assert ["", ""] == loaded
    assert [()] == [found for name in "ab" if (found := accepted_for(Cache(remote=f"s3://{name}"), root)) == ()]
    assert 1 == len(list(state.glob(".*"))) + len(files(state))


# the environment of CI


def test_the_environment_may_name_what_the_ovfile_names(root: Path) -> None:
    variables = {REMOTE: CACHE.remote, ENDPOINT: CACHE.endpoint, TRUSTED_KEYS: f" {SECOND} , {FIRST},"}

    found = settings(CACHE, root, **variables)

    assert (CACHE.remote, CACHE.endpoint, CACHE.region) == (found.url, found.endpoint, found.region)
    assert {FIRST, SECOND} == set(found.trusted_keys)


def test_the_environment_stands_alone_where_the_ovfile_names_nothing(root: Path) -> None:
    assert "s3://ci/x" == remote_of(Cache(), {REMOTE: "s3://ci/x/"})
    assert ("s3://ci/x", ()) == (
        (found := settings(Cache(), root, **{REMOTE: "s3://ci/x/"})).url,
        found.trusted_keys,
    )


def test_only_the_keys_of_the_environment_count(root: Path) -> None:
    theirs = replace(CACHE, trusted_keys=(FIRST,))

    found = settings(theirs, root, **{REMOTE: CACHE.remote, ENDPOINT: CACHE.endpoint, TRUSTED_KEYS: SECOND})

    assert (SECOND,) == found.trusted_keys


@pytest.mark.parametrize(
    ("cache", "variables", "why"),
    [
        (CACHE, {REMOTE: "s3://ci"}, "OVMAKE_CACHE_REMOTE names `s3://ci`"),
        (CACHE, {REMOTE: CACHE.remote}, "and OVMAKE_CACHE_ENDPOINT names none"),
        (CACHE, {REMOTE: CACHE.remote, ENDPOINT: "https://x.example"}, "OVMAKE_CACHE_ENDPOINT names `https://x.examp"),
        (CACHE, {REMOTE: CACHE.remote, ENDPOINT: CACHE.endpoint}, "only the keys of OVMAKE_CACHE_TRUSTED_KEYS count"),
        (CACHE, {ENDPOINT: CACHE.endpoint}, "OVMAKE_CACHE_ENDPOINT is set, and OVMAKE_CACHE_REMOTE is not"),
        (CACHE, {TRUSTED_KEYS: FIRST}, "OVMAKE_CACHE_TRUSTED_KEYS is set, and OVMAKE_CACHE_REMOTE is not"),
        (Cache(endpoint="https://x.example"), {REMOTE: "s3://ci"}, "its endpoint is `https://x.example`"),
        (Cache(remote="s3://ci", region="x.example#"), {REMOTE: "s3://ci"}, "its region may have letters"),
    ],
)
def test_an_ovfile_that_contradicts_the_environment_is_refused(
    root: Path, cache: Cache, variables: dict[str, str], why: str
) -> None:
    assert why in warning(cache, root, **variables).message


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({REMOTE: "ftp://x"}, "OVMAKE_CACHE_REMOTE is "),
        ({REMOTE: "http://x.example"}, "OVMAKE_CACHE_REMOTE is "),
        ({REMOTE: "s3://b", ENDPOINT: "minio:9000"}, "OVMAKE_CACHE_ENDPOINT is "),
        ({REMOTE: "s3://b", TRUSTED_KEYS: "ed25519:AAAA"}, "OVMAKE_CACHE_TRUSTED_KEYS is `ed25519:AAAA`"),
    ],
)
def test_wrong_values_of_the_environment_are_errors(root: Path, variables: dict[str, str], said: str) -> None:
    with pytest.raises(OvmakeError) as caught:
        accepted_settings(Cache(), root, variables, None)

    assert ["cache-environment"] == [found.code for found in caught.value.diagnostics]
    assert caught.value.diagnostics[0].message.startswith(said)


def test_the_signing_key_is_not_read_before_all_is_accepted(root: Path) -> None:
    warning(CACHE, root, OVMAKE_CACHE_SIGNING_KEY="this would be an error")


def test_a_folder_whose_name_is_no_text_is_accepted_too(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff repo"))
    root.mkdir()

    accept(CACHE, root)

    settings(CACHE, root)
