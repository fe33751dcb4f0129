"""The keys of `[cache]`: which remotes and keys an Ovfile may name."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import OvmakeError, render
from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.sharing import public_key_of

MODEL = '[models.digits]\nsource = "models/digits"\n'
KEY = "ed25519:1XDpS0bK0lfVRjvXk4wFWa2hFnmVb4B2OZvqlSyTlpA="


def refusal(line: str) -> str:
    with pytest.raises(OvmakeError) as caught:
        parse(f"{MODEL}[cache]\n{line}\n")
    return "\n".join(map(render, caught.value.diagnostics))


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/team/models",
        "gs://bucket",
        "az://container/prefix",
        "file:///srv/ovmake",
        "https://cache.example.org:8443/ovmake/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/x",
    ],
)
def test_remotes_of_every_scheme_are_read(url: str) -> None:
    found = parse(f'{MODEL}[cache]\nremote = "{url}"\npush = true\ntrusted-keys = ["{KEY}"]\n').cache

    assert (url.rstrip("/"), True, (KEY,)) == (found.remote, found.push, found.trusted_keys)


def test_without_the_table_there_is_no_remote() -> None:
    assert "" == parse(MODEL).cache.remote


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("remote = 3", "expected a URL such as"),
        ('remote = "/mnt/cache"', "help: write file:///path"),
        ('remote = "ftp://h/x"', "whose scheme is none of s3, gs, az, file, https, http"),
        ('remote = "bucket/prefix"', "whose scheme is none of"),
        ('remote = "https://name:secret@h/x"', "which holds a name or a password"),
        ('remote = "https://h/x?sig=1"', "which has a query, a fragment or blanks"),
        ('remote = "https://h/a b"', "which has a query, a fragment or blanks"),
        ('remote = "file://host/x"', "whose path is not absolute"),
        ('remote = "file:relative"', "whose path is not absolute"),
        ('remote = "s3:///prefix"', "which names no host or bucket"),
        ('remote = "http://cache.example.org"', "which is not encrypted"),
        ('remote = "https://[::1/x"', "which is not a URL"),
        ('endpoint = "s3://bucket"', "whose scheme is none of https, http"),
        ("trusted-keys = [7]", "expected a key such as"),
        ('trusted-keys = ["ed25519:AAAA"]', "which is not a key"),
        ('trusted-keys = "x"', "expected an array of public keys"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(line: str, words: str) -> None:
    assert words in refusal(line)


def test_a_key_is_32_bytes() -> None:
    assert 32 == len(public_key_of(KEY) or b"")
    assert public_key_of("ed25519:" + "A" * 42 + "B=") is not None
    assert public_key_of("rsa:" + "A" * 43 + "=") is None
