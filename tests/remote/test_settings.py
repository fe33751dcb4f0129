"""Settings of a remote: from the Ovfile and the environment, and what obstore makes of them."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError, render
from ovmake.ovfile.schema.sharing import Cache
from ovmake.remote.cache import SharedCache
from ovmake.remote.objects import RemoteError, open_objects
from ovmake.remote.settings import RemoteSettings, settings_of
from ovmake.remote.transport.failures import of_obstore, of_status, of_system
from ovmake.remote.transport.stores import store_of
from tests.remote.results import SIGNER, Team, made
from tests.remote.servers import WebServer

CACHE = Cache(remote="https://cache.example.org/x", push=True, trusted_keys=("ed25519:k",), region="eu-central-1")


def test_the_ovfile_and_the_environment_make_settings() -> None:
    environment = {
        "OVMAKE_CACHE_SIGNING_KEY": base64.b64encode(SIGNER).decode() + "\n",
        "OVMAKE_CACHE_TIMEOUT": "2.5",
        "OVMAKE_CACHE_AUTHORIZATION": "Bearer secret",
    }

    found = settings_of(CACHE, environment)

    assert found == RemoteSettings(
        url="https://cache.example.org/x",
        region="eu-central-1",
        push=True,
        trusted_keys=("ed25519:k",),
        signing_key=SIGNER,
        authorization="Bearer secret",
        timeout_s=2.5,
    )
    assert "secret" not in repr(found)
    assert repr(SIGNER) not in repr(found)


@pytest.mark.parametrize(("push", "expected"), [(None, True), (False, False), (True, True)])
def test_the_flag_wins_over_the_ovfile(push: bool | None, expected: bool) -> None:  # noqa: FBT001
    assert expected == settings_of(CACHE, {}, push=push).push


@pytest.mark.parametrize("value", ["AAAA", "%%%", base64.b64encode(bytes(33)).decode(), "ü", "ed25519:AAAA"])
def test_a_wrong_signing_key_is_an_error_that_does_not_show_it(value: str) -> None:
    with pytest.raises(OvmakeError) as caught:
        settings_of(CACHE, {"OVMAKE_CACHE_SIGNING_KEY": value})

    assert (
        "error[signing-key]: OVMAKE_CACHE_SIGNING_KEY is not a private key: 32 bytes in base64 are expected\n"
        "help: `ovmake cache keygen` makes a pair of keys"
    ) == render(caught.value.diagnostics[0])


@pytest.mark.parametrize("value", ["5s", "0", "-1", "nan", "inf", "1e9"])
def test_a_wrong_timeout_is_an_error(value: str) -> None:
    with pytest.raises(OvmakeError) as caught:
        settings_of(CACHE, {"OVMAKE_CACHE_TIMEOUT": value})

    assert (
        f"error[cache-timeout]: OVMAKE_CACHE_TIMEOUT is `{value}`, and a number of seconds up to 3600 is expected\n"
        "help: unset it for the default, 5 seconds"
    ) == render(caught.value.diagnostics[0])


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_none(value: str) -> None:
    found = settings_of(CACHE, {"OVMAKE_CACHE_SIGNING_KEY": value, "OVMAKE_CACHE_TIMEOUT": value})

    assert (b"", 5.0) == (found.signing_key, found.timeout_s)


def test_requests_to_a_web_server_carry_the_authorization(web: WebServer, tmp_path: Path) -> None:
    team = Team(f"{web.url}/team")
    cache = SharedCache(replace(team.pusher(), authorization="Bearer secret"))

    cache.push(made(tmp_path, "a", {"small": b"x", "large": bytes(6_000_000)}))
    cache.settle()
    cache.close()

    assert {"HEAD", "PUT"} == {line.partition(" ")[0] for line in web.log}
    assert {"Bearer secret"} == {headers.get("authorization") for headers in web.headers}


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("s3://bucket/a/b", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}, "S3Store"),
        ("s3://bucket", {}, "S3Store"),
        ("az://container/x", {"AZURE_STORAGE_ACCOUNT_NAME": "me"}, "AzureStore"),
        ("https://host:8443/x y", {}, "HTTPStore"),
        ("file:///tmp", {}, "LocalStore"),
    ],
)
def test_each_scheme_has_its_store(
    url: str, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert expected == type(store_of(RemoteSettings(url=url), environment)).__name__


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (RemoteSettings(url="ftp://host/x"), "remotes of `ftp` are unknown"),
        (RemoteSettings(url=""), "remotes of `` are unknown"),
        (RemoteSettings(url="file:///nowhere/x"), "there is no folder /nowhere/x"),
        (RemoteSettings(url="az://container"), "it cannot be opened: "),
    ],
)
def test_what_cannot_be_opened_says_why_in_one_line(
    settings: RemoteSettings, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(RemoteError) as caught:
        open_objects(settings)

    assert "settings" == caught.value.trouble
    assert caught.value.message.startswith(words)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "trouble", "words"),
    [
        (of_status(401), "denied", "access is denied (401)"),
        (of_status(500), "server", "the server answers 500"),
        (of_status(507), "full", "the remote is full (507)"),
        (of_status(404), "refused", "the server answers 404"),
        (of_system(28), "full", "the remote is full (No space left on device)"),
        (of_system(13), "denied", "access is denied (Permission denied)"),
        (of_obstore(FileNotFoundError("x")), "refused", "there is no such object"),
        (of_obstore(FileNotFoundError("404 <Code>NoSuchBucket</Code>")), "settings", "there is no such bucket"),
        (of_obstore(RuntimeError("No space left (os error 28)")), "full", "the remote is full"),
        (of_obstore(RuntimeError("source: TimedOut")), "timeout", "the server is too slow"),
        (of_obstore(RuntimeError("what?\nsecret")), "refused", "the answer cannot be used (RuntimeError)"),
    ],
)
def test_failures_are_told_from_each_other(error: RemoteError, trouble: str, words: str) -> None:
    assert trouble == error.trouble
    assert error.message.startswith(words)
