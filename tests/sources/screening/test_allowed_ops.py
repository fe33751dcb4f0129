"""The policy, held against the registry of the TensorFlow that is installed."""

from __future__ import annotations

import json

import pytest

from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.screening.allowed_ops import ALLOWED, CALLERS, CONDITIONS, ONLY_WHEN_RUN, REASONS, refusal_reason
from tests.graphdefs import message
from tests.workers.conftest import run_python

Registry = dict[str, dict[str, bool]]


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Every op of TensorFlow's: whether it is stateful, and whether it has a function for an attribute."""
    found = json.loads(run_python("list_ops.py"))
    assert len(found) > 1500
    assert isinstance(found, dict)
    return found


@pytest.mark.heavy
def test_every_op_of_the_registry_is_in_exactly_one_class(registry: Registry) -> None:
    refused = {op for op in registry if any(ops.fullmatch(op) for ops in REASONS.values())}

    assert set() == registry.keys() - ALLOWED - refused, "an op in no class"
    assert set() == ALLOWED & refused
    assert ALLOWED <= registry.keys(), "an op that TensorFlow does not have"


@pytest.mark.heavy
def test_what_may_stand_unreached_is_never_computed_by_an_import(registry: Registry) -> None:
    assert set() == {op for op in ONLY_WHEN_RUN if not registry[op]["stateful"]}
    assert set() == ONLY_WHEN_RUN & ALLOWED


@pytest.mark.heavy
def test_whoever_may_run_functions_is_known(registry: Registry) -> None:
    assert {op for op in ALLOWED if registry[op]["functions"]} == CALLERS


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        ("WriteFile", "writes files"),
        ("SaveV2", "writes files"),
        ("CreateSummaryFileWriter", "writes files"),
        ("ReadFile", "reads files"),
        ("RestoreV2", "reads files"),
        ("ImmutableConst", "reads files"),
        ("SqlDataset", "reads files"),
        ("InitializeTableFromTextFileV2", "reads a table from a file"),
        ("RpcCall", "opens connections"),
        ("DataServiceDatasetV4", "opens connections"),
        ("CollectiveReduceV2", "opens connections"),
        ("EagerPyFunc", "runs Python"),
        ("DatasetFromGraph", "runs a program that is not in the graph"),
        ("XlaCustomCallV2", "is for XLA, which compiles programs"),
        ("DebugIdentityV2", "sends tensors to a debugger"),
        ("Abort", "ends or stalls the process"),
        ("BigQueryReader", "is not an operation of TensorFlow's that ovmake knows"),
        ("IO>WriteFile", "is not an operation of TensorFlow's that ovmake knows"),
        ("Conv2D", ""),
    ],
)
def test_refused_op_has_its_reason(op: str, reason: str) -> None:
    assert reason == refusal_reason(op, {})


@pytest.mark.parametrize(
    ("op", "attribute", "value", "reason"),
    [
        ("PrintV2", "output_stream", "stderr", ""),
        ("PrintV2", "output_stream", "file:///tmp/x", "writes to `file:///tmp/x`"),
        ("PrintV2", "output_stream", "s3://x", "writes to `s3://x`"),
        ("FixedUnigramCandidateSampler", "vocab_file", "", ""),
        ("FixedUnigramCandidateSampler", "vocab_file", "/etc/passwd", "reads files"),
        ("DecodeProtoV2", "descriptor_source", "local://", ""),
        ("DecodeProtoV2", "descriptor_source", "bytes://\n\x02", ""),
        ("DecodeProtoV2", "descriptor_source", "/etc/passwd", "reads files"),
        ("EncodeProto", "descriptor_source", "/etc/passwd", "reads files"),
    ],
)
def test_attributes_count(op: str, attribute: str, value: str, reason: str) -> None:
    assert reason == refusal_reason(op, {attribute: memoryview(message((2, value)))})
    assert op in CONDITIONS


def test_attribute_that_the_caller_of_a_function_fills_is_not_taken_for_harmless() -> None:
    with pytest.raises(ProtobufError):
        refusal_reason("PrintV2", {"output_stream": memoryview(message((9, "stream")))})
