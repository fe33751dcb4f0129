"""The keys of `cache`: where a team keeps results, and whose signatures count."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ovmake.ovfile.problems import Problems, bad_value, toml, wrong_type
from ovmake.ovfile.schema.declaring import key, keys_of
from ovmake.ovfile.schema.kinds import Flag, JsonSchema, ListOf, Text
from ovmake.ovfile.schema.tables import Table
from ovmake.ovfile.words import KeyPath

SCHEMES = ("s3", "gs", "az", "file", "https", "http")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
KEY_PREFIX = "ed25519:"
KEY_PATTERN = r"^ed25519:[A-Za-z0-9+/]{43}=$"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteUrl:
    """A URL of an object store or a web server. Names and passwords stay out of it: an Ovfile is committed."""

    expected: str = "a URL such as `s3://bucket/prefix` or `https://cache.example.org/ovmake`"
    schemes: tuple[str, ...] = SCHEMES

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Plain `http` reaches this machine only: anybody between two machines could change the data."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif wrong := self._wrong(value):
            what, hint = wrong
            problems.add(bad_value(f"{toml(value)}, {what}", self.expected, at, hint=hint))

    def _wrong(self, value: str) -> tuple[str, str] | None:
        """Return the fault of a URL and a hint, None if it is correct."""
        try:
            url = urlsplit(value)
            host = url.hostname or ""
        except ValueError as error:
            return f"which is not a URL: {error}", ""
        is_file = url.scheme == "file"
        hint = "write file:///path" if value.startswith("/") and "file" in self.schemes else ""
        faults = (
            (url.scheme not in self.schemes, f"whose scheme is none of {', '.join(self.schemes)}", hint),
            (url.username or url.password, "which holds a name or a password", "give credentials in the environment"),
            (url.query or url.fragment or re.search(r"[\s\0]", value), "which has a query, a fragment or blanks", ""),
            (is_file and (host or not url.path.startswith("/")), "whose path is not absolute", "write file:///path"),
            (not is_file and not host, "which names no host or bucket", ""),
            (url.scheme == "http" and host not in LOOPBACK, "which is not encrypted", "http is for this machine only"),
        )
        return next(((what, hint) for wrong, what, hint in faults if wrong), None)

    def read(self, value: object) -> str | None:
        """Return the URL without a slash at its end; None if its form is wrong."""
        return value.rstrip("/") if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the form for editors."""
        return {"type": "string", "pattern": rf"^({'|'.join(self.schemes)})://"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """An Ed25519 public key: `ed25519:` and 32 bytes in base64."""

    expected: str = "a key such as `ed25519:` and 44 characters, as `ovmake cache keygen` prints it"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Check that it decodes to 32 bytes."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif public_key_of(value) is None:
            problems.add(bad_value(f"{toml(value)}, which is not a key", self.expected, at))

    def read(self, value: object) -> str | None:
        """Return the key as it is written; None if its form is wrong."""
        return value if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the form for editors."""
        return {"type": "string", "pattern": KEY_PATTERN}


def public_key_of(text: str) -> bytes | None:
    """Return the 32 bytes of a public key, None if the text is not a key."""
    if not re.fullmatch(KEY_PATTERN, text):  # of 43 characters and a `=`, which are 32 bytes
        return None
    return base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """The cache of a team. It changes no result, so nothing is stale after an edit. `remote` is "" without one."""

    remote: str = key(
        RemoteUrl(),
        default="",
        shown="none",
        doc="Where results are shared: `s3://`, `gs://`, `az://`, `file://` or `https://`. It is used once you accept "
        "it: `ovmake cache trust`",
    )
    endpoint: str = key(
        RemoteUrl(expected="a URL such as `https://minio.example.org:9000`", schemes=("https", "http")),
        default="",
        shown="the provider's",
        doc="Server of an `s3://` remote that is not Amazon's",
    )
    region: str = key(
        Text(), default="", shown="from the environment, else us-east-1", doc="Region of an `s3://` remote"
    )
    push: bool = key(
        Flag(),
        default=False,
        doc="Whether `ovmake build` also uploads what it made; `--push` and `--no-push` win over it",
    )
    trusted_keys: tuple[str, ...] = key(
        ListOf(element=PublicKey(), expected="an array of public keys", ordered=False),
        default=(),
        shown="none",
        doc="Public keys: with some, a result counts only if one of them signed it. `ovmake cache keygen` makes a pair",
    )


CACHE = Table(keys=keys_of(Cache))
