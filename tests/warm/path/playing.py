"""Play a processor that executes bf16 where this one does not, or one that does not where this one does.

    with played_by_workers("f32"): ...      commands that are started here see that processor
    play("bf16")                            in a worker: from now on it is that processor

What OpenVINO makes of `INFERENCE_PRECISION_HINT=bf16` is all that ovmake sees of it. Without the instructions the
plugin executes f32 and says so in its runtime graph alone: so a processor without them is one where the hint asks for
f32, and nothing else is made up. A processor with them is one whose runtime graph says bf16; its numbers are those of
f32 here, which are closer to TensorFlow's than real ones.

`ONEDNN_MAX_CPU_ISA` does not do it: OpenVINO tries bf16 all the same, and crashes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ovmake.contracts.files.executed import ExecutedLayer

PLAYED = "OVMAKE_TESTS_BF16"
HINT = "INFERENCE_PRECISION_HINT"


@contextlib.contextmanager
def played_by_workers(executed: str) -> Iterator[None]:
    """Have workers of commands that are started here run on a processor that executes bf16 as "bf16" or as "f32"."""
    os.environ[PLAYED] = executed
    try:
        yield
    finally:
        del os.environ[PLAYED]


def play(executed: str) -> None:
    """Be that processor. To be called before anything of ovmake's is imported that compiles."""
    import ovmake.workers  # noqa: F401 - before OpenVINO, so that nothing reports usage
    import openvino as ov  # isort: skip

    from ovmake.workers.conversion import executed as telling
    from ovmake.workers.evaluation import by_default

    compile_really, tell_really = ov.Core.compile_model, telling.layers
    asked: set[int] = set()
    kept = []

    def compile_model(core: Any, *words: Any, **more: Any) -> Any:
        if not (len(words) == 3 and words[2].get(HINT) == "bf16"):  # as ovmake asks
            return compile_really(core, *words, **more)
        model, device, properties = words
        compiled = compile_really(core, model, device, {**properties, HINT: "f32"}, **more)
        kept.append(compiled)  # so that no other one gets its number
        asked.add(id(compiled))
        return compiled

    def layers(compiled: Any, model: Any) -> tuple[ExecutedLayer, ...]:
        found = tell_really(compiled, model)
        if executed == "bf16" and id(compiled) in asked:
            return tuple(replace(layer, precision=layer.precision.replace("f32", "bf16")) for layer in found)
        return found

    ov.Core.compile_model, telling.layers = compile_model, layers
    by_default.DEFAULTS[HINT] = executed
