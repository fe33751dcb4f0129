"""The action digest: what it names, what it leaves out, and what has none. And traces that are read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.graph.digest import of_bytes
from ovmake.graph.trace import Seen, SeenInput, Trace

SEEN = Seen(
    kind="control",
    tools={"nncf": "3.4"},
    params={"accuracy.max-drop": 0.01, "samples": 300},
    environment={"isa": "avx2"},
    inputs={"model": SeenInput(label="`xml` of convert m", digest=of_bytes(b"model"))},
)


def test_digest_without_some_params_is_that_of_an_action_that_never_had_them() -> None:
    actual = SEEN.without({"accuracy.max-drop"})

    assert replace(SEEN, params={"samples": 300}) == actual
    assert SEEN.digest != actual.digest
    assert SEEN.digest == SEEN.without({"no such param"}).digest


def test_where_a_source_stands_is_no_part_of_the_digest() -> None:
    moved = replace(SEEN, inputs={"model": SeenInput(label="elsewhere/model.pb", digest=of_bytes(b"model"))})

    assert SEEN.digest == moved.digest


def test_what_has_an_unknown_input_has_no_digest() -> None:
    pending = replace(SEEN, inputs={"model": SeenInput(label="`xml` of convert m", digest=None)})

    assert not pending.known
    with pytest.raises(ValueError, match="an action digest needs all input digests"):
        _ = pending.digest


def test_trace_is_read_back_as_it_was_written() -> None:
    facts: dict[str, JsonValue] = {
        "drop": 0.25,
        "interval": (0.1, 0.4),
        "gate": "missed",
        "decided": None,
        "nested": (("a", 1), True),
    }
    trace = Trace(seen=SEEN, outputs={"xml": of_bytes(b"ir")}, facts=facts, seconds=1.5)

    assert trace == Trace.from_json(trace.to_json())


def test_trace_with_a_table_for_a_param_is_of_another_format() -> None:
    body = json.loads(Trace(seen=SEEN, outputs={}, facts={}, seconds=1.5).to_json())
    body["params"]["samples"] = {"some": 300}
    text = json.dumps(body)

    with pytest.raises(TypeError, match="a param cannot hold dict"):
        Trace.from_json(text)
