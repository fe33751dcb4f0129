"""What a convert action costs beside a bare `ov.convert_model` + `ov.save_model`, in one warm process.

    python tests/benchmarks/convert.py [SAVED_MODEL]        default: MobileNetV2 of keras.applications

Prints one JSON line: both medians over turns, and their ratio. The action does more: canonical form, interface, errors
that say where.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TURNS = 9
EXPORT = "import sys, keras; keras.applications.MobileNetV2(weights=None).export(sys.argv[1], verbose=False)"


def main(source: Path, folder: Path) -> None:
    """Take turns and print the ratio."""
    from ovmake.workers.conversion.converting import convert
    from ovmake.workers.ipc.protocol import Request

    import openvino as ov  # after ovmake.workers, which keeps its telemetry away  # isort: skip

    outputs = {role: str(folder / role) for role in ("xml", "bin", "interface")}
    request = Request(id=1, kind="convert", inputs={"source": str(source)}, outputs=outputs)

    def bare() -> None:
        ov.save_model(ov.convert_model(source), folder / "bare.xml", compress_to_fp16=False)

    ours_ms, bare_ms = [], []
    for _ in range(TURNS):
        bare_ms.append(_time_ms(bare))
        ours_ms.append(_time_ms(lambda: convert(request)))
    # The first of each warms up.
    ours, theirs = statistics.median(ours_ms[1:]), statistics.median(bare_ms[1:])
    sys.stdout.write(json.dumps({"convert_ms": ours, "bare_ms": theirs, "ratio": ours / theirs}) + "\n")


def _time_ms(run: object) -> float:
    started = time.perf_counter()
    run()  # type: ignore[operator]
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) > 1:
            model = Path(sys.argv[1])
        else:
            model = Path(scratch) / "mobilenet"
            subprocess.run([sys.executable, "-c", EXPORT, str(model)], check=True, capture_output=True)
        main(model, Path(scratch))
