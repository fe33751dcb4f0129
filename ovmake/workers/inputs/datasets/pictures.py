"""Adapt one image to an input: decode, choose channels, resize, crop, transpose to the input's layout.

    picture = Picture.of(tensor, given)
    picture.array(source, name)      -> uint8 in the input's layout, 0..255
    picture.look(source, name)       the same checks from the header alone

Values stay 0..255: the IR applies mean and scale. `resize = 256` brings the shorter side to 256 and keeps the
aspect, `[h, w]` gives both; bilinear with antialiasing, as torchvision and Pillow do it. `crop` takes the centre. The
orientation in a camera's EXIF data is ignored, as TensorFlow's decoders ignore it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ovmake.contracts.files.interface import Tensor
from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets.columns import Given
from ovmake.workers.inputs.datasets.decoding import (
    MAGIC,
    UNREADABLE,
    Source,
    TooLarge,
    check_size,
    decoded,
    opened,
    words_of,
)
from ovmake.workers.inputs.preparing import Array

# The most likely first: with a height of 4 and 3 channels, the dimension of 3 is the channels.
MODES = {3: "RGB", 1: "L", 4: "RGBA"}
CHANNELS = {"gray": 1, "rgb": 3, "bgr": 3}
# Pillow's modes with more than 8 bits a channel; converting would clip them to 255.
WIDE = ("I", "F")
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"))
_IMAGE, _PIXELS, _SIDES = 4, 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """How images become samples of one input. Sizes are (height, width), -1: any. `channel_axis` is in a sample."""

    given: Given
    name: str
    size: tuple[int, int]
    channels: int
    channel_axis: int | None
    resize: tuple[int, ...]
    crop: tuple[int, ...]
    reverse: bool

    @classmethod
    def of(cls, tensor: Tensor, given: Given) -> Picture:
        """Return how images become samples of `tensor`.

        Raises:
            ActionError: the input does not take images, or not with these channels.
        """
        sizes, axis = _sample(tensor, given)
        count = 1 if axis is None else sizes[axis]
        options = given.params.images
        asked = options.channels
        if count == -1:
            count = CHANNELS[asked or "rgb"]
        if count not in MODES or (asked and CHANNELS[asked] != count):
            message = f"input `{tensor.name}` takes {count} channels, and `{asked or 'rgb'}` images have "
            raise given.error("dataset-shape", f"{message}{CHANNELS[asked or 'rgb']}", key="images.channels")
        height, width = (size for place, size in enumerate(sizes) if place != axis)
        crop = options.crop or ()
        return cls(
            given=given,
            name=tensor.name,
            size=(height, width),
            channels=count,
            channel_axis=axis,
            resize=options.resize or (),
            crop=crop * 2 if len(crop) == 1 else crop,
            reverse=asked == "bgr",
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, -1 where images may differ."""
        made = self.crop or (self.resize if len(self.resize) == _SIDES else ())
        sizes = list(made if -1 in self.size and made else self.size)
        if self.channel_axis is not None:
            sizes.insert(self.channel_axis, self.channels)
        return tuple(sizes)

    def array(self, source: Source, name: str) -> Array:
        """Return an image as a sample. `name` is for messages.

        Raises:
            ActionError: it cannot be decoded, or has the wrong size for the input.
        """
        try:
            with opened(source) as image:
                self._check(image, name)
                with decoded(image):
                    return self._sample(image)
        except UNREADABLE as error:
            raise refusal(self.given, error, name) from error

    def look(self, source: Source, name: str) -> None:
        """Check an image by its header. It raises the same errors as `array`."""
        try:
            with opened(source) as image:
                self._check(image, name)
        except UNREADABLE as error:
            raise refusal(self.given, error, name) from error

    def _sample(self, image: Image.Image) -> Array:
        mode = MODES[self.channels]
        made = image if image.mode == mode else image.convert(mode)
        height, width = self._resized(image.height, image.width)
        if (height, width) != (image.height, image.width):
            made = made.resize((width, height), Image.Resampling.BILINEAR)
        if self.crop:
            top, left = round((height - self.crop[0]) / 2), round((width - self.crop[1]) / 2)
            made = made.crop((left, top, left + self.crop[1], top + self.crop[0]))
        pixels = np.asarray(made)
        pixels = pixels[..., np.newaxis] if pixels.ndim < _PIXELS else pixels
        if self.reverse:
            pixels = pixels[..., ::-1]
        return pixels[..., 0] if self.channel_axis is None else np.moveaxis(pixels, -1, self.channel_axis)

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if len(self.resize) != 1:
            return (self.resize[0], self.resize[1]) if self.resize else (height, width)
        ratio = self.resize[0] / min(height, width)
        return max(round(height * ratio), self.resize[0]), max(round(width * ratio), self.resize[0])

    def _check(self, image: Image.Image, name: str) -> None:
        if image.mode.startswith(WIDE):
            message = f"`{name}` has more than 8 bits a channel, and images are read as 0..255"
            raise self.given.error("dataset-type", message, help="store such samples as .npz, or write a `loader`")
        height, width = self._resized(image.height, image.width)
        if (height, width) != (image.height, image.width):
            check_size(height, width, "`resize` would make it")
        if self.crop and (height < self.crop[0] or width < self.crop[1]):
            message = f"`{name}` is {_by(height, width)}, smaller than `crop`"
            raise self.given.error("dataset-shape", message, key="images.crop", help="`resize` it first")
        height, width = self.crop or (height, width)
        if any(want not in {-1, have} for want, have in zip(self.size, (height, width), strict=True)):
            message = f"`{name}` is {_by(height, width)}, input `{self.name}` takes {_by(*self.size)}"
            sides = ", ".join(str(size) for size in self.size)
            hint = f"resize it, for example with `images = {{ resize = [{sides}] }}` in the dataset's table"
            raise self.given.error("dataset-shape", message, key="images", help=hint)


def looks_like_image(data: bytes | memoryview) -> bool:
    """Whether bytes begin like a common image format."""
    return bytes(data[:8]).startswith(MAGIC)


def refusal(given: Given, error: BaseException, name: str) -> ActionError:
    """Return the error for one image that cannot be read, with an action."""
    if isinstance(error, TooLarge):
        hint = "make it smaller first: models take images of some hundred pixels a side. Or write a `loader`"
        return given.error("image-too-large", f"`{name}` is not decoded: {error}", help=hint)
    return given.error("dataset-unreadable", f"cannot read `{name}`: {words_of(error)}")


def _by(height: int, width: int) -> str:
    """Return a size in words, because people and Pillow disagree on which side comes first."""
    return " and ".join(f"{'any' if size == -1 else size} {word}" for size, word in ((height, "high"), (width, "wide")))


def _sample(tensor: Tensor, given: Given) -> tuple[tuple[int, ...], int | None]:
    """Return the shape of one sample of an input, and the axis of its channels, None without channels."""
    sizes = tensor.shape[1:]
    if len(tensor.shape) == _PIXELS and tensor.shape[-1] not in MODES:
        return sizes, None
    if len(tensor.shape) == _PIXELS:  # no batch: every sample is a whole input
        sizes = tensor.shape
    if len(sizes) != _PIXELS:
        message = f"input `{tensor.name}` has shape {list(tensor.shape)}, which is not that of images"
        raise given.error("dataset-shape", message, help="[batch, height, width, channels], or with the channels first")
    candidates = [axis for count in MODES for axis in (2, 0) if sizes[axis] == count]
    if len(candidates) > 1 and tensor.prepare and tensor.prepare.axes:
        candidates = [axis for axis in candidates if axis + 1 not in tensor.prepare.axes]
    elif len(candidates) > 1 and tensor.prepare and len(tensor.prepare.transpose) == _IMAGE:
        # The source has its channels last unless the Ovfile says otherwise; this is their axis in the IR.
        candidates = [tensor.prepare.transpose[-1] - 1]
    return sizes, candidates[0] if candidates else 2
