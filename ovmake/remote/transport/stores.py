"""The store of obstore for a URL, with time limits, and credentials from the environment.

    store_of(settings) -> a store of obstore
    store_of(settings, uploads=True) -> one that has other time limits

| URL              | credentials                                                                   |
|------------------|-------------------------------------------------------------------------------|
| s3://bucket/…    | AWS_ACCESS_KEY_ID and so on, a web identity, a role of the machine; see below |
| gs://bucket/…    | GOOGLE_APPLICATION_CREDENTIALS, or the machine's                              |
| az://container/… | AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY and so on            |
| https://host/…   | OVMAKE_CACHE_AUTHORIZATION: the value of the header `Authorization`           |
| file:///path     | none                                                                          |

Without any AWS credentials, requests to an `endpoint` are not signed. Amazon's SDKs would ask the machine's metadata
service, which only Amazon's machines have.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ovmake.remote.settings import RemoteSettings
from ovmake.remote.transport.failures import RemoteError, of_obstore

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

# objects.py limits a whole body, by its size.
WHOLE_BODY = timedelta(days=1)
# obstore's limit for one read counts from the start of a request, and so covers the upload of a part too.
UPLOAD_READ = timedelta(seconds=120)
RETRIES = 1
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
_AWS_FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


def store_of(
    settings: RemoteSettings, environment: Mapping[str, str] = os.environ, *, uploads: bool = False
) -> ObjectStore:
    """Return the store of a remote, for uploads or for everything else. It does not connect yet.

    Raises:
        RemoteError: trouble `settings`: it cannot be used as it is configured.
    """
    url = urlsplit(settings.url)
    makers = {"s3": _s3, "gs": _gs, "az": _az, "file": _file, "http": _http, "https": _http}
    if url.scheme not in makers:
        raise RemoteError("settings", f"remotes of `{url.scheme}` are unknown")
    try:
        return makers[url.scheme](settings, environment, uploads)
    except RemoteError:
        raise
    except Exception as error:  # noqa: BLE001 - obstore's types of them have no name in common
        found = of_obstore(error)
        known = found.trouble not in {"refused", "settings"}
        raise RemoteError("settings", found.message if known else f"it cannot be opened: {_first(error)}") from None


def _first(error: Exception) -> str:
    """Return the first line of an error's text; obstore's debug output follows it."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _options(settings: RemoteSettings, *, uploads: bool, **more: Any) -> ClientConfig:
    seconds = timedelta(seconds=settings.timeout_s)
    read = seconds + UPLOAD_READ if uploads else seconds
    options: ClientConfig = {"timeout": WHOLE_BODY, "connect_timeout": seconds, "read_timeout": read, **more}  # type: ignore[typeddict-item]
    return options


def _retries(settings: RemoteSettings) -> RetryConfig:
    return {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=settings.timeout_s)}


def _prefix(settings: RemoteSettings) -> str | None:
    return unquote(urlsplit(settings.url).path).strip("/") or None


def _s3(settings: RemoteSettings, environment: Mapping[str, str], uploads: bool) -> ObjectStore:  # noqa: FBT001
    from obstore.store import S3Store  # noqa: PLC0415

    region = settings.region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    plain: dict[str, Any] = {}
    if settings.endpoint:
        plain = {"endpoint": settings.endpoint, "virtual_hosted_style_request": False}
        if not any(environment.get(name) for name in (*_AWS, _AWS_FULL)):
            plain["skip_signature"] = True
    return S3Store(
        urlsplit(settings.url).netloc,
        prefix=_prefix(settings),
        region=region,
        client_options=_options(settings, uploads=uploads, allow_http=settings.endpoint.startswith("http:")),
        retry_config=_retries(settings),
        **plain,
    )


def _gs(settings: RemoteSettings, _: Mapping[str, str], uploads: bool) -> ObjectStore:  # noqa: FBT001
    from obstore.store import GCSStore  # noqa: PLC0415

    return GCSStore(
        urlsplit(settings.url).netloc,
        prefix=_prefix(settings),
        client_options=_options(settings, uploads=uploads),
        retry_config=_retries(settings),
    )


def _az(settings: RemoteSettings, _: Mapping[str, str], uploads: bool) -> ObjectStore:  # noqa: FBT001
    from obstore.store import AzureStore  # noqa: PLC0415

    return AzureStore(
        urlsplit(settings.url).netloc,
        prefix=_prefix(settings),
        client_options=_options(settings, uploads=uploads),
        retry_config=_retries(settings),
    )


def _file(settings: RemoteSettings, _: Mapping[str, str], __: bool) -> ObjectStore:  # noqa: FBT001
    from obstore.store import LocalStore  # noqa: PLC0415

    folder = unquote(urlsplit(settings.url).path)
    if not settings.push and not Path(folder).is_dir():  # who pushes makes it
        raise RemoteError("settings", f"there is no folder {folder}")
    return LocalStore(folder, mkdir=settings.push)


def _http(settings: RemoteSettings, _: Mapping[str, str], uploads: bool) -> ObjectStore:  # noqa: FBT001
    from obstore.store import HTTPStore  # noqa: PLC0415

    headers = {"Authorization": settings.authorization} if settings.authorization else {}
    return HTTPStore.from_url(
        settings.url,
        client_options=_options(
            settings, uploads=uploads, allow_http=settings.url.startswith("http:"), default_headers=headers
        ),
        retry_config=_retries(settings),
    )
