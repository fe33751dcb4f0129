"""check-source: load the source with TensorFlow, and record its outputs for two seeded inputs.

params      CheckSourceParams
inputs      interface, source
answers     JSON: {"format": 1, "outputs": {name: sha-256}}, digests of the outputs for the seeded inputs, in order;
            or, if TensorFlow cannot run these inputs, {"format": 1, "bytes": sha-256}: of the source's files

Sources with equal fingerprints share a reference only if their answers are equal too. A source that cannot run the
seeded inputs shares none, since its answers are the digest of its own bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.model import CheckSourceParams
from ovmake.errors import ActionError
from ovmake.sources.fingerprint import bytes_digest
from ovmake.sources.integrity.damaged import explained
from ovmake.workers.inputs.preparing import prepared
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference import kept_model
from ovmake.workers.reference.frozen import CANNOT_FREEZE
from ovmake.workers.reference.reference_model import ReferenceModel, reference_model

# A large model takes a second per input, and the check must be short compared with a validation set of 100 samples.
SAMPLES = 2
# Errors of a source that loads but cannot run these inputs. It may run those of a dataset.
UNANSWERED = ("tensorflow-cannot-run", "no-samples", CANNOT_FREEZE)


@explained
def check_source(request: Request) -> dict[str, object]:
    """Load the source and run it; write `answers`. The loaded model is kept for *reference*.

    Raises:
        ActionError: TensorFlow cannot load it.
    """
    asked, interface = request.asked(CheckSourceParams), Interface.read(request.inputs["interface"])
    kept_model.forget()  # so that there are never two in memory
    try:
        model = reference_model(request, interface, asked.source)
        kept_model.keep(request, asked.source, model)
        samples = take(request, interface, SampleParams(seed=asked.seed)).first(SAMPLES)
        found: dict[str, object] = {"outputs": _answers(model, interface, samples)}
    except ActionError as error:
        if error.code not in UNANSWERED:
            raise
        found = {"bytes": bytes_digest(Path(request.inputs["source"])).hex()}
    Path(request.outputs["answers"]).write_text(json.dumps({"format": 1, **found}) + "\n")
    return {}


def _answers(model: ReferenceModel, interface: Interface, samples: Samples) -> dict[str, str]:
    """Return a digest of each output.

    Raises:
        ActionError: TensorFlow cannot run the model on these inputs.
    """
    hashers = {tensor.name: hashlib.sha256() for tensor in interface.outputs}
    for feed in samples.feeds():
        try:
            given = model(prepared(feed.inputs, interface))
        except Exception as error:
            raise ActionError("tensorflow-cannot-run", "TensorFlow cannot run the seeded inputs") from error
        for name, hasher in hashers.items():
            array = np.asarray(given[name], order="C")
            hasher.update(f"{array.dtype.str} {array.shape};".encode())
            hasher.update(array.tobytes())
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}
