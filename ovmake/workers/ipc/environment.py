"""The environment variables of a worker: those that ovmake sets, and those that it passes on from the user's.

They are the only part of ipc that can change a result: they select the kernels of the frameworks.
"""

from __future__ import annotations

from collections.abc import Mapping

# The reference must not run the kernels it is compared with: with oneDNN on, some of TensorFlow's outputs are bit-equal
# to OpenVINO's, because both call the same ones. Speed is measured with it on (see measurement/benchmark.py).
ENVIRONMENT: Mapping[str, str] = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    # The encoding of logs, independent of the user's terminal.
    "PYTHONIOENCODING": "utf-8",
}

# The user's variables that a worker gets: those that configure Python, the frameworks and their libraries. Tokens,
# passwords and their paths are excluded. TF_VAR_ and TF_TOKEN_ are Terraform's.
PASSED = frozenset({
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("CONDA_PREFIX", "INTEL_OPENVINO_DIR", "SYSTEMROOT", "COLUMNS", "LINES", "TF_USE_LEGACY_KERAS"),
    *("TF_DETERMINISTIC_OPS", "KERAS_BACKEND", "KERAS_HOME", "HDF5_USE_FILE_LOCKING"),
})  # fmt: skip
PASSED_PREFIXES = (
    *("LC_", "PYTHON", "OMP_", "KMP_", "GOMP_", "MKL_", "TBB_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "NPY_", "MALLOC_"),
    *("ONEDNN_", "DNNL_", "OV_", "OPENVINO_", "NNCF_", "OCL_", "OPENCL_", "ZE_", "ZES_", "SYCL_", "NEO_", "LIBVA_"),
    *("TF_CPP_", "TF_ENABLE_", "TF_DISABLE_", "TF_NUM_", "TF_XLA_", "XLA_", "KERAS_NNX_", "OVMAKE_"),
)
# The key that signs the results of workers: see ovmake/seal.py.
WITHHELD = frozenset({"OVMAKE_STATE_KEY"})


def passed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a user's environment that reaches a worker."""
    return {
        name: value
        for name, value in environment.items()
        if (name in PASSED or name.startswith(PASSED_PREFIXES)) and name not in WITHHELD
    }
