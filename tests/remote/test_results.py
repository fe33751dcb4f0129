"""Results as signed bytes: what is believed, and what is refused with which reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.contracts import codec
from ovmake.contracts.sharing.remote_result import Envelope, RemoteResult, Signature
from ovmake.engine.explain import nearest_in_words
from ovmake.engine.remote import Missed
from ovmake.graph.action import Action
from ovmake.graph.digest import of_bytes
from ovmake.remote.cache import SharedCache
from ovmake.remote.layout import result_path
from ovmake.remote.objects import open_objects
from ovmake.remote.results import facts_of, from_bytes, outputs_of, result_of, seen_of, to_bytes
from ovmake.remote.signing import (
    PAYLOAD_TYPE,
    RefusedError,
    covered,
    new_signing_key,
    public_key_for,
    sign,
)
from tests.remote.results import PUBLIC, SIGNER, STRANGER, Team, fetched, made, seen, wanted
from tests.remote.servers import WebServer

DAMAGED = "damaged, or of another version of ovmake"
RESULT = RemoteResult(
    key="ab" * 32,
    action="convert digits",
    outputs={"xml": of_bytes(b"x").encoded()},
    facts={"drop": 0.5},
    seconds=1.0,
)


def refusal(data: bytes, trusted: tuple[str, ...] = (PUBLIC,), key: str = RESULT.key) -> str:
    with pytest.raises(RefusedError) as caught:
        from_bytes(data, trusted, key=key)
    return str(caught.value)


def payload(change: Callable[[dict[str, object]], object]) -> bytes:
    """Return a result that a trusted key signed, with a payload that was changed before."""
    body = json.loads(codec.to_bytes(RESULT))
    change(body)
    return codec.to_bytes(sign(json.dumps(body).encode(), SIGNER))


def test_what_was_made_comes_back(tmp_path: Path) -> None:
    one = made(tmp_path, "a", {"xml": b"x", "bin": b"yy"})

    found = from_bytes(to_bytes(result_of(one), SIGNER), (PUBLIC,), key=one.seen.digest)

    assert one.outputs == outputs_of(found)
    assert one.facts == facts_of(found)
    assert one.seen == seen_of(found)
    assert one.seen.digest == getattr(seen_of(found), "digest", "")
    assert (one.seconds, one.peak_bytes) == (found.seconds, found.peak_bytes)


def test_the_signed_bytes_are_those_of_the_standard() -> None:
    """The example of the DSSE specification."""
    assert b"DSSEv1 29 http://example.com/HelloWorld 11 hello world" == covered(
        "http://example.com/HelloWorld", b"hello world"
    )


def test_keys_are_those_of_rfc_8032() -> None:
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

    assert "ed25519:" + base64.b64encode(public).decode() == public_key_for(secret)
    assert new_signing_key() != new_signing_key()
    assert 32 == len(new_signing_key())


def test_a_result_of_any_trusted_key_is_believed() -> None:
    trusted = (public_key_for(STRANGER), PUBLIC)

    assert RESULT == from_bytes(to_bytes(RESULT, SIGNER), trusted, key=RESULT.key)
    assert RESULT == from_bytes(to_bytes(RESULT, STRANGER), trusted)


def test_without_trusted_keys_any_result_is_believed() -> None:
    assert RESULT == from_bytes(to_bytes(RESULT, b""), (), key=RESULT.key)
    assert RESULT == from_bytes(to_bytes(RESULT, STRANGER), (), key=RESULT.key)


def envelope(data: bytes = b"", **changed: object) -> bytes:
    """Return a signed result whose envelope was changed."""
    found = codec.from_bytes(Envelope, data or to_bytes(RESULT, SIGNER), "")
    return codec.to_bytes(replace(found, **changed))  # type: ignore[arg-type]


GOOD = codec.from_bytes(Envelope, to_bytes(RESULT, SIGNER), "").signatures[0]
FORGED = codec.from_bytes(Envelope, to_bytes(RESULT, STRANGER), "").signatures[0]
OTHER_PAYLOAD = base64.b64encode(codec.to_bytes(replace(RESULT, seconds=2.0))).decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (to_bytes(RESULT, b""), "unsigned"),
        (to_bytes(RESULT, STRANGER), "signed by a key that is not trusted"),
        (envelope(signatures=()), "unsigned"),
        (envelope(payload=OTHER_PAYLOAD), "its signature is wrong"),
        (envelope(signatures=(Signature(keyid=PUBLIC, sig=FORGED.sig),)), "its signature is wrong"),
        (envelope(signatures=(Signature(keyid=PUBLIC, sig=""),)), "its signature is wrong"),
        (envelope(signatures=(Signature(keyid=PUBLIC, sig="?"),)), DAMAGED),
        (envelope(signatures=(Signature(keyid="", sig=GOOD.sig),)), "signed by a key that is not trusted"),
        (envelope(signatures=(FORGED,) * 1000 + (GOOD,)), "signed by a key that is not trusted"),
        (envelope(payloadType="text/plain"), "not a result of ovmake"),
        (envelope(payload="?"), DAMAGED),
        (b"", DAMAGED),
        (b"null", DAMAGED),
        (b"\xff\xfe", DAMAGED),
        (b"[" * 900_000, DAMAGED),
        (b" " * 1_000_001, DAMAGED),
        (codec.to_bytes(sign(b"[" * 100_000, SIGNER)), DAMAGED),
        (to_bytes(replace(RESULT, key="cd" * 32), SIGNER), "the result of another action"),
    ],
)
def test_what_is_wrong_with_an_envelope(data: bytes, words: str) -> None:
    assert words == refusal(data)


def test_one_good_signature_among_wrong_ones_is_enough() -> None:
    data = envelope(signatures=(Signature(keyid=PUBLIC, sig=FORGED.sig), FORGED, GOOD))

    assert RESULT == from_bytes(data, (PUBLIC,))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(format=2),
        lambda body: body.pop("format"),
        lambda body: body.pop("outputs"),
        lambda body: body.update(more=1),
        lambda body: body.update(key="AB" * 32),
        lambda body: body.update(key="../" * 20),
        lambda body: body.update(outputs={"xml": "ab:1"}),
        lambda body: body.update(outputs={"xml": "ab" * 32}),
        lambda body: body.update(outputs={"xml": "ab" * 32 + ":-1"}),
        lambda body: body.update(outputs={"xml": "ab" * 32 + ":" + "9" * 14}),
        lambda body: body.update(outputs={"xml": "ab" * 32 + ":1\n"}),
        lambda body: body.update(outputs={"xml": "ab" * 32 + ":٣"}),
        lambda body: body.update(outputs={"xml": 3}),
        lambda body: body.update(facts={"drop": {"a": 1}}),
        lambda body: body.update(facts={"drop": [[{"a": 1}]]}),
        lambda body: body.update(facts={"drop": float("nan")}),
        lambda body: body.update(facts={"drop": 10**30}),
        lambda body: body.update(facts={"drop": "\ud800"}),
        lambda body: body.update(facts={"drop": json.loads("[" * 100 + "]" * 100)}),
        lambda body: body.update(facts={"warnings": ["x"]}),
        lambda body: body.update(facts={"warnings": [["code", "message", "no list", "", ""]]}),
        lambda body: body.update(facts=[]),
        lambda body: body.update(seconds=-1),
        lambda body: body.update(seconds=1e300),
        lambda body: body.update(seconds=float("inf")),
        lambda body: body.update(peak_bytes=-1),
        lambda body: body.update(peak_bytes=10**30),
    ],
)
def test_a_payload_that_makes_no_sense_is_damaged_although_it_is_signed(
    change: Callable[[dict[str, object]], object],
) -> None:
    assert DAMAGED == refusal(payload(change))


@pytest.mark.parametrize("name", ["tools", "environment", "code", "params", "inputs"])
@pytest.mark.parametrize("value", [1, None, "x", ["a"], [["a", "b"]], {"a": 1}, {"a": ["b"]}])
def test_what_a_stranger_saw_is_compared_or_has_another_form(tmp_path: Path, name: str, value: object) -> None:
    own = result_of(made(tmp_path, "a", {"xml": b"x"}))
    ours, theirs = seen_of(own), seen_of(replace(own, seen={**own.seen, name: value}))

    assert ours is not None
    if theirs is not None:
        convert = Action(kind="convert", subject="m", worker="openvino")
        assert nearest_in_words(convert, ours, theirs, lambda _: "")


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    refusal(data)
    refusal(codec.to_bytes(sign(data, SIGNER)))


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_no_flipped_byte_is_believed(where: int, value: int) -> None:
    data = bytearray(to_bytes(RESULT, SIGNER))
    data[where % len(data)] = value
    try:
        found = from_bytes(bytes(data), (PUBLIC,), key=RESULT.key)
    except RefusedError:
        return
    assert RESULT == found


@pytest.mark.parametrize("facts", [{"drop": float("nan")}, {"note": "x" * 1_000_000}])
def test_what_cannot_be_shared_is_not_uploaded(web: WebServer, tmp_path: Path, facts: dict[str, object]) -> None:
    cache = SharedCache(Team(f"{web.url}/team").pusher())

    cache.push(replace(made(tmp_path, "a", {"xml": b"x"}), facts=facts))  # type: ignore[arg-type]
    traffic = cache.settle()
    cache.close()

    assert (0, 1) == (traffic.uploaded, sum(traffic.errors.values()))
    assert {} == web.objects


# A remote that somebody else can write to.


@pytest.mark.parametrize(
    ("signer", "words"),
    [(STRANGER, "signed by a key that is not trusted"), (b"", "unsigned")],
)
def test_a_poisoned_result_under_the_right_key_is_a_miss(team: Team, tmp_path: Path, signer: bytes, words: str) -> None:
    poison = made(tmp_path / "poison", "a", {"xml": b"poison"})
    attacker = SharedCache(team.pusher(signing_key=signer, trusted_keys=()))
    attacker.push(poison)
    assert 1 == attacker.settle().uploaded
    attacker.close()
    reader = SharedCache(team.reader())

    found = fetched(reader, wanted(tmp_path / "got", "a", "xml"))

    assert Missed(key=seen("a").digest, why=words) == found
    assert {words: 1} == reader.traffic().refused
    assert reader.nearest("convert digits") is None
    assert [] == list((tmp_path / "got").iterdir())
    reader.close()


def test_a_result_that_lacks_an_output_is_a_miss(web: WebServer, tmp_path: Path) -> None:
    team = Team(f"{web.url}/team", trusted=(PUBLIC,))
    cache = SharedCache(team.pusher())
    cache.push(made(tmp_path / "made", "a", {"xml": b"x"}))
    cache.settle()

    found = fetched(cache, wanted(tmp_path / "got", "a", "xml", "bin"))

    assert isinstance(found, Missed)
    assert "it lacks an output" == found.why
    cache.close()


def test_results_of_another_format_are_misses(web: WebServer, tmp_path: Path) -> None:
    team = Team(f"{web.url}/team", trusted=(PUBLIC,))
    objects = open_objects(team.pusher())
    objects.put(result_path(seen("a").digest), payload(lambda body: body.update(format=2, key=seen("a").digest)))
    objects.close()
    cache = SharedCache(team.reader())

    found = fetched(cache, wanted(tmp_path, "a", "xml"))

    assert isinstance(found, Missed)
    assert DAMAGED == found.why
    cache.close()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (b"", "not uploaded: `trusted-keys` asks for signed results, and OVMAKE_CACHE_SIGNING_KEY is not set"),
        (STRANGER, "not uploaded: the key in OVMAKE_CACHE_SIGNING_KEY belongs to none of `trusted-keys`"),
    ],
)
def test_nothing_is_uploaded_that_no_colleague_would_believe(
    web: WebServer, tmp_path: Path, key: bytes, words: str
) -> None:
    team = Team(f"{web.url}/team", trusted=(PUBLIC,))
    cache = SharedCache(team.pusher(signing_key=key))

    cache.push(made(tmp_path / "made", "a", {"xml": b"x"}))
    traffic = cache.settle()
    cache.close()

    assert (0, {words: 1}) == (traffic.uploaded, traffic.errors)
    assert PAYLOAD_TYPE
    assert {} == web.objects
