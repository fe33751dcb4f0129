"""Channels of an image input: how many there are, and which axis they are on.

channel_axis(shape, channels, setting) -> axis
"""

from __future__ import annotations

from ovmake.errors import ActionError

# Channels of a colour image: without alpha, and with alpha last.
RGB, RGBA = 3, 4


def channel_axis(shape: tuple[int, ...], channels: int, setting: str) -> int:
    """Return the axis of `mean` or `scale` with so many channels: the last axis, else the second.

    Raises:
        ActionError: neither axis has that size.
    """
    for axis in (len(shape) - 1, 1):
        if 0 <= axis < len(shape) and shape[axis] == channels:
            return axis
    shown = list(shape)
    message = f"`{setting}` has {channels} values, and no channel dimension of the input's shape {shown} has that size"
    raise ActionError("channel-count", message, setting=setting, help="give one number, or one per channel")
