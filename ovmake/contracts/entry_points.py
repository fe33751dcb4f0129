"""The function that each kind of action runs, and what it starts in other processes. Standard library only.

    HANDLERS["openvino"]["convert"]        the function, as `module:function` below `ovmake`
    STARTS["workers.conversion.reading"]   the requests that a module sends to other processes

Workers serve this table. The digest of an action's code (`store.own_code`) starts from it: code that an entry reaches
neither by imports nor by STARTS cannot run in the action.
"""

from __future__ import annotations

from collections.abc import Mapping

# Process -> kind of request -> function. "in-process" is the ovmake process, "observer" is its reader of sources.
HANDLERS: Mapping[str, Mapping[str, str]] = {
    "openvino": {
        "convert": "workers.conversion.converting:convert",
        "compress": "workers.conversion.converting:compress",
        "quantize": "workers.quantization.quantizing:quantize",
        "compress-weights": "workers.quantization.quantizing:compress_weights",
        "control": "workers.quantization.control.controlling:control",
        "name-layers": "workers.quantization.control.naming:name_layers",
        "evaluate": "workers.evaluation.evaluating:evaluate",
        "check-samples": "workers.evaluation.checking:check_samples",
        "check-calibration": "workers.inputs.calibration_check:check_calibration",
        "inspect": "workers.inspection.openvino:inspect",
        "inspect-data": "workers.inspection.data:inspect_data",
        "compare-layers": "workers.matching.compare_layers:compare_layers",
        "time": "workers.measurement.timed_openvino:time_openvino",
    },
    "tensorflow": {
        "check-source": "workers.reference.check_source:check_source",
        "freeze": "workers.loading.freezing:freeze",
        "inspect": "workers.inspection.tensorflow:inspect",
        "reference": "workers.reference.reference:refer",
        "sever": "workers.reference.tflite_cut:sever",
        "layers": "workers.reference.layer_values:run_layers",
        "time": "workers.measurement.timed_tensorflow:time_tensorflow",
    },
    "bench": {
        "benchmark": "workers.measurement.benchmark:benchmark",
        "compare-speed": "workers.measurement.ir_timing:compare_speed",
        "time-candidates": "workers.measurement.ir_timing:time_candidates",
    },
    "loader": {"spool": "workers.inputs.datasets.spooling:spool"},
    "in-process": {
        "gate": "engine.in_process.gate:gate",
        "judge": "engine.in_process.judge:judge",
        "check-speed": "engine.in_process.check_speed:check_speed",
        "weigh": "engine.in_process.weigh:weigh",
        "choose": "engine.in_process.choose:choose",
        "publish": "engine.in_process.publish:publish",
        "check-size": "engine.in_process.check_size:check_size",
        "require": "engine.in_process.require:require",
    },
    "observer": {"fingerprint": "sources.fingerprint:fingerprint"},
}

# Module -> what it starts in other processes: requests as (worker, kind), or the module of a program.
STARTS: Mapping[str, tuple[tuple[str, str] | str, ...]] = {
    "workers.conversion.reading": (("tensorflow", "freeze"),),
    "workers.conversion.reading_tflite": (("tensorflow", "sever"),),
    "workers.conversion.refusing_tflite": ("workers.reference.tflite_probe",),
    "workers.reference.tflite": ("workers.reference.tflite_probe",),
    "workers.matching.probe_runs": (("tensorflow", "layers"),),
    "workers.inputs.datasets.loader": (("loader", "spool"),),
    "workers.measurement.benchmark": (("openvino", "time"), ("tensorflow", "time")),
    "workers.measurement.ir_timing": (("openvino", "time"),),
    "workers.measurement.core_latency": ("workers.measurement.core_latency",),
}
