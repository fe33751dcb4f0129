"""Our accuracy control beside `nncf.quantize_with_accuracy_control`: the same model, data and promise, in one run.

    python tests/benchmarks/control.py [--keep FOLDER] [a] [b] [c]      default: all three

    a   a depthwise CNN of 15 layers on 3,000 images of Fashion-MNIST, max-drop 0.002
    b   the same, max-drop 0.0005, that is 1.5 images: inside the noise
    c   MobileNetV2 at 96 x 96, 100 images that it hesitates over, labelled with its own answers, max-drop 0.05

Both start from the FP32 IR and end with a model in memory or on disk; both calibrate on the same 300 images. NNCF's
time holds its own float metric; ours holds *quantize* and *control*, which get TensorFlow's outputs from *reference*,
as all precisions do. "drop" and "INT8 layers" are counted here, on the finished models, by the same code for both.
Inferences are single images: a batch of 64 counts 64, and a row of the prober counts 1.

Needs Debian's `dataset-fashion-mnist`. The model of c is trained first (2 to 5 minutes), or taken from FOLDER.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.contracts.params.evaluation import EvaluateParams, MetricParams
from ovmake.contracts.params.promise import MaxDrop, PromiseParams
from ovmake.contracts.params.quantization import ControlParams, QuantizationParams, QuantizeParams, SearchLimits

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SAMPLES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model with its data, and what is promised of it."""

    name: str
    model: str
    max_drop: float


CASES = (
    Case(name="a", model="depthwise", max_drop=0.002),
    Case(name="b", model="depthwise", max_drop=0.0005),
    Case(name="c", model="mobilenet", max_drop=0.05),
)


def prepared(folder: Path, case: Case) -> dict[str, str]:
    """Build the case's FP32 target with ovmake itself, and return the stored files that its actions read."""
    ovfile = f"""
[datasets.val]
path = "{case.model}-val.npz"
inputs = {{ image = "x" }}
labels = "y"

[models.{case.model}]
source = "{case.model}"
precisions = ["fp32"]
accuracy = {{ dataset = "val", metric = "accuracy", max-drop = 0.001 }}
"""
    (folder / "Ovfile").write_text(ovfile)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    build = [sys.executable, "-m", "ovmake", "build"]
    subprocess.run(build, cwd=folder, env=environment, check=True, capture_output=True)
    from ovmake.seal import keep_key
    from ovmake.store.cas import Cas
    from ovmake.store.database import Database
    from ovmake.store.files.disk import RealDisk

    database, _ = Database.open(folder / ".ovmake/state.db", keep_key()[0])
    traces, cas = database.traces(), Cas(RealDisk(folder))
    found: dict[str, str] = {}
    for action, roles in (("convert", ("xml", "bin", "interface")), ("reference", ("outputs", "facts"))):
        outputs = json.loads(traces[f"{action} {case.model}"])["outputs"]
        from ovmake.graph.digest import Digest

        found |= {role: str(folder / cas.path(Digest.decode(outputs[role]))) for role in roles}
    database.close()
    return found


def ours(folder: Path, case: Case, files: dict[str, str]) -> dict[str, Any]:
    """Quantize and control, as the worker does; return figures and the path of the result."""
    from ovmake.workers.ipc.protocol import Request
    from ovmake.workers.quantization.control.controlling import control
    from ovmake.workers.quantization.quantizing import quantize

    out = {role: str(folder / f"ours.{role}") for role in ("plain-xml", "plain-bin", "xml", "bin", "search")}
    ir = {"xml": files["xml"], "bin": files["bin"], "interface": files["interface"]}
    dataset = DatasetParams(form="arrays", inputs={"image": "x"})
    started = time.perf_counter()
    quantize(
        Request(
            id=1,
            kind="quantize",
            params=encode_object(
                QuantizeParams(
                    quantization=QuantizationParams(preset="mixed", samples=SAMPLES),
                    dataset=dataset,
                    seed=0,
                )
            ),
            inputs={**ir, "dataset": str(folder / f"{case.model}-calibration.npz")},
            outputs={"xml": out["plain-xml"], "bin": out["plain-bin"]},
        )
    )
    quantized = time.perf_counter() - started
    control(
        Request(
            id=2,
            kind="control",
            params=encode_object(
                ControlParams(
                    trial=EvaluateParams(
                        samples=SampleParams(dataset=replace(dataset, labels="y")), metric=MetricParams(name="accuracy")
                    ),
                    promise=PromiseParams(max_drop=MaxDrop.read(case.max_drop), promised=True),
                    limits=SearchLimits(max_evaluations=60),
                )
            ),
            inputs={
                "xml": out["plain-xml"],
                "bin": out["plain-bin"],
                "float-xml": files["xml"],
                "float-bin": files["bin"],
                "interface": files["interface"],
                "expected": files["outputs"],
                "facts": files["facts"],
                "dataset": str(folder / f"{case.model}-val.npz"),
            },
            outputs={role: out[role] for role in ("xml", "bin", "search")},
        )
    )
    seconds = time.perf_counter() - started
    search = json.loads(Path(out["search"]).read_text())
    return {
        "seconds": seconds,
        "of it quantizing": quantized,
        "validations": len(search["trials"]),
        "inferences": search["inferences"] + SAMPLES,
        "model": (out["xml"], out["bin"]),
    }


def nncfs(folder: Path, case: Case, files: dict[str, str]) -> dict[str, Any]:
    """Run NNCF's accuracy control with a validation function that does what its documentation does."""
    import nncf

    from ovmake.workers.conversion import ir

    images, labels = data(folder, case)
    calibration = np.load(folder / f"{case.model}-calibration.npz")["x"]
    counted = {"validations": 0, "inferences": SAMPLES}

    def validate(compiled: Any, places: Any) -> tuple[float, list[float]]:
        counted["validations"] += 1
        right = []
        for place in places:
            scores = compiled(images[place : place + 1])[0]
            counted["inferences"] += 1
            right.append(float(scores.argmax() == labels[place]))
        return float(np.mean(right)), right

    model = ir.read(files["xml"], files["bin"])
    started = time.perf_counter()
    quantized = nncf.quantize_with_accuracy_control(
        model,
        nncf.Dataset([{0: calibration[place : place + 1]} for place in range(SAMPLES)]),
        nncf.Dataset(range(len(images))),
        validation_fn=validate,
        max_drop=case.max_drop,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=SAMPLES,
    )
    seconds = time.perf_counter() - started
    paths = (str(folder / "nncf.xml_"), str(folder / "nncf.bin_"))
    ir.write(quantized, *paths)
    return {"seconds": seconds, **counted, "model": paths}


def data(folder: Path, case: Case) -> tuple[Any, Any]:
    """Return images and labels of the validation set."""
    with np.load(folder / f"{case.model}-val.npz") as stored:
        return stored["x"], stored["y"]


def counted(folder: Path, case: Case, files: dict[str, str], found: dict[str, Any]) -> dict[str, Any]:
    """Return the drop and the layers of a finished model, by the same few lines for both."""
    from ovmake.workers.conversion import ir
    from ovmake.workers.quantization.control.pair import Pair

    images, labels = data(folder, case)
    floating, quantized = ir.read(files["xml"], files["bin"]), ir.read(*found.pop("model"))

    def accuracy(model: Any) -> float:
        import openvino as ov

        compiled = ov.Core().compile_model(model, "CPU", ir.COMPILE_PROPERTIES)
        batches = [compiled(images[start : start + 50])[0].argmax(axis=1) for start in range(0, len(images), 50)]
        return float((np.concatenate(batches) == labels).mean())

    layers = len(Pair(floating, quantized).layers)
    return {**found, "drop": accuracy(floating) - accuracy(quantized), "INT8 layers": layers}


def compare(folder: Path, case: Case) -> None:
    """Run both, and print a table and ratios."""
    files = prepared(folder, case)
    results = {name: counted(folder, case, files, run(folder, case, files)) for name, run in RUNS.items()}
    print(f"\n{case.name}: {case.model}, max-drop {case.max_drop}")
    print(f"{'':<18} {'ours':>10} {'NNCF':>10} {'ratio':>8}")
    for row in ("seconds", "of it quantizing", "drop", "INT8 layers", "validations", "inferences"):
        ours_, theirs = results["ours"].get(row), results["NNCF"].get(row)
        shown = [
            f"{value:.4f}"
            if row == "drop"
            else f"{value:,.1f}"
            if isinstance(value, float)
            else f"{value:,}"
            if value is not None
            else ""
            for value in (ours_, theirs)
        ]
        ratio = f"{ours_ / theirs:.2f}" if ours_ is not None and theirs and row != "drop" else ""
        print(f"{row:<18} {shown[0]:>10} {shown[1]:>10} {ratio:>8}", flush=True)


RUNS: dict[str, Callable[[Path, Case, dict[str, str]], dict[str, Any]]] = {"NNCF": nncfs, "ours": ours}


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path)
    parser.add_argument("cases", nargs="*", choices=[[], *(case.name for case in CASES)])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.keep or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        cases = [case for case in CASES if not asked.cases or case.name in asked.cases]
        for model in dict.fromkeys(case.model for case in cases):
            if not (folder / f"{model}-val.npz").exists():
                subprocess.run([sys.executable, str(HERE / "control_models.py"), model, str(folder)], check=True)
        for case in cases:
            compare(folder, case)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
