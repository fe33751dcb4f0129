"""Which operations of an IR compute which layer of its source.

    operations_of(model, request) -> {"block_1_expand": ("convolution.12", "add.14"), ...}

tapping.py marks the layers' outputs in a conversion like the IR's, and placing.py finds those in the IR. What is
between a layer's output and the outputs before it is the layer. One that OpenVINO folded into its neighbours is what
they are: of a convolution and the batch normalization after it both names mean the one convolution that is left.
"""

from __future__ import annotations

from typing import Any

from ovmake.workers.protocol import Request

Operations = dict[str, tuple[str, ...]]


def operations_of(model: Any, request: Request) -> Operations:
    """Return the operations of every layer that has some."""
    return {}
