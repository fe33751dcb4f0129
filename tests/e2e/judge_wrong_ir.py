"""Judge IRs that are wrong on purpose: `python judge_wrong_ir.py REPO MODEL...`, JSON on stdout.

    {"mixed": {"1.0": "passed", "1.1": "missed"}}     by the factor that the outputs were multiplied with

What *evaluate* read is read again from the store of a repo that was built, and the gate's default for FP32 is asked.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import openvino as ov

from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.contracts.params.promise import PromiseParams, Tolerance
from ovmake.ovfile.words import DEFAULT_COSINE, DEFAULT_MAX_ERROR
from ovmake.verdicts.verdict import judged
from ovmake.workers.evaluation.comparison import Subject, compare
from ovmake.workers.ipc.protocol import Request

EVALUATE = EvaluateParams(samples=SampleParams(seed=0))
PROMISE = PromiseParams(agreement=Tolerance(cosine=DEFAULT_COSINE["fp32"], max_error=DEFAULT_MAX_ERROR["fp32"]))


def request_of(repo: Path, model: str) -> Request:
    """Return what *evaluate* was asked."""
    rows = sqlite3.connect(repo / ".ovmake/state.db").execute("SELECT action, body FROM traces")
    trace = json.loads(dict(rows)[f"evaluate {model}:fp32"])
    digests = {role: found.partition(":")[0] for role, (_, found) in trace["inputs"].items()}
    inputs = {role: str(repo / ".ovmake/cas" / digest[:2] / digest[2:]) for role, digest in digests.items()}
    return Request(id=1, kind="evaluate", inputs=inputs)


def wrong(request: Request, factor: float) -> Any:
    """Return the IR with outputs that are too large by a factor."""
    model = ov.Core().read_model(Path(request.inputs["xml"]).read_bytes(), Path(request.inputs["bin"]).read_bytes())
    ops = ov.opset13
    results = [ops.multiply(one.input_value(0), ops.constant(factor, dtype="float32")) for one in model.get_results()]
    return ov.Model(results, model.get_parameters())


def main() -> None:
    """Judge them."""
    found: dict[str, dict[str, str]] = {}
    for model in sys.argv[2:]:
        request = request_of(Path(sys.argv[1]), model)
        for factor in (1.0, 1.1):
            compiled = ov.Core().compile_model(wrong(request, factor), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            subject = Subject.of(request, EVALUATE)
            verdict = judged(compare(subject, compiled), PROMISE, inputs=subject.facts.inputs).verdict
            found.setdefault(model, {})[str(factor)] = verdict.result
    print(json.dumps(found))


if __name__ == "__main__":
    main()
