"""TFRecords: what TensorFlow's own writer wrote, and files that are damaged."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from PIL import Image

from ovmake.errors import ActionError
from tests.e2e.conftest import run_tensorflow
from tests.workers.inputs.datasets.models import IMAGES, interface, labels, samples, tensor, values

Feature = list[bytes] | list[float] | list[int]


def field(number: int, data: bytes) -> bytes:
    """Return a field of a protobuf message that holds bytes."""
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def encoded(values: Feature) -> bytes:
    if isinstance(values[0], bytes):
        return field(1, b"".join(field(1, value) for value in values if isinstance(value, bytes)))
    if isinstance(values[0], float):
        return field(2, field(1, struct.pack(f"<{len(values)}f", *values)))
    return field(3, field(1, b"".join(varint(value) for value in values if isinstance(value, int))))


def example(**features: Feature) -> bytes:
    entries = [field(1, name.encode()) + field(2, encoded(values)) for name, values in features.items()]
    return field(1, b"".join(field(1, entry) for entry in entries))


def framed(record: bytes) -> bytes:
    def crc(data: bytes) -> bytes:
        plain = google_crc32c.value(data)
        return struct.pack("<I", ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(record))
    return length + crc(length) + record + crc(record)


def write(path: Path, *records: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(framed, records)))
    return path


X = interface(tensor("x", -1, 3))


def test_numbers_of_each_kind_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.tfrecord",
        example(x=[0.5, -1.5, 2.0], i=[-1, 300, 1 << 40], y=[7]),
        example(x=[1.0, 2.0, 3.0], i=[0, 1, 2], y=[8]),
    )
    known = interface(tensor("x", -1, 3), tensor("i", -1, 3, kind="i64"))

    read = samples(known, path, labels="y")

    assert [[0.5, -1.5, 2], [1, 2, 3]] == values(read, "x").tolist()
    assert [[-1, 300, 1 << 40], [0, 1, 2]] == values(read, "i").tolist()
    assert [7, 8] == labels(read)


def test_numbers_take_the_shape_of_the_input(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tfrecord", example(x=[float(n) for n in range(6)]))

    assert [[[0, 1, 2], [3, 4, 5]]] == values(samples(interface(tensor("x", -1, 2, 3)), path), "x").tolist()
    assert [[[0, 1], [2, 3], [4, 5]]] == values(samples(interface(tensor("x", -1, -1, 2)), path), "x").tolist()


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_raw_bytes_are_the_inputs_type_or_bytes(tmp_path: Path, dtype: str) -> None:
    array = np.arange(3).astype(dtype)
    path = write(tmp_path / "d.tfrecord", example(x=[array.tobytes()]))

    assert [[0, 1, 2]] == values(samples(X, path), "x").tolist()


def test_encoded_images_are_decoded_with_the_options(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.new("RGB", (9, 5), (255, 0, 0)).save(png, "PNG")
    path = write(tmp_path / "d.tfrecord", example(image=[png.getvalue()]))

    found = values(samples(IMAGES, path, images__resize=[4, 4], images__channels="bgr"), "image")

    assert ((1, 4, 4, 3), [0, 0, 255]) == (found.shape, found[0, 2, 2].tolist())
    read = samples(IMAGES, path)
    look = read.columns["image"].look
    assert look is not None
    with pytest.raises(ActionError, match=r"`record 0 of d.tfrecord` is 5 high and 9 wide"):
        look(read.order)


def test_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "v/val.tfrecord-00001-of-00002", example(x=[3.0] * 3))
    write(tmp_path / "v/val.tfrecord-00000-of-00002", example(x=[1.0] * 3), example(x=[2.0] * 3))
    (tmp_path / "v/features.json").write_text("{}")

    assert [1, 2, 3] == values(samples(X, tmp_path / "v"), "x")[:, 0].tolist()


def test_file_that_gzip_compressed_is_read(tmp_path: Path) -> None:
    plain = framed(example(x=[1.0, 2.0, 3.0]))
    (tmp_path / "d.tfrecord.gz").write_bytes(gzip.compress(plain))

    assert [[1, 2, 3]] == values(samples(X, tmp_path / "d.tfrecord.gz"), "x").tolist()


def test_names_of_classes_are_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tfrecord", example(x=[1.0] * 3, y=[b"dog"]), example(x=[1.0] * 3, y=[b"cow"]))

    read = samples(X, path, labels="y", classes=["cat", "dog"])

    assert read.labels is not None
    assert [1] == read.labels.rows(read.order[:1]).tolist()
    with pytest.raises(ActionError, match=r"record 1 of d.tfrecord has `cow` for its label `y`"):
        read.labels.rows(read.order)


def test_labels_of_different_lengths_stay_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tfrecord", example(x=[1.0] * 3, y=[1, 2]), example(x=[1.0] * 3, y=[3]))

    (feed,) = samples(X, path, labels="y").feeds()

    assert feed.labels is not None
    assert [[1, 2], 3] == [np.asarray(label).tolist() for label in feed.labels]


GOOD = framed(example(x=[1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD + GOOD[:-7], "`d.tfrecord` ends within record 1"),
        (GOOD + GOOD[:5], "`d.tfrecord` is damaged after record 0"),
        (GOOD + b"\x01" + GOOD[1:], "`d.tfrecord` is damaged after record 0"),
        (b"something else entirely", "`d.tfrecord` does not begin with a record; is it a TFRecord?"),
        (b"", "has no samples"),
    ],
)
def test_damaged_framing_is_found_at_once(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "d.tfrecord").write_bytes(data)

    with pytest.raises(ActionError, match=message):
        samples(X, tmp_path / "d.tfrecord")


def test_damaged_record_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "d.tfrecord").write_bytes(GOOD + GOOD[:20] + b"!" + GOOD[21:])

    with pytest.raises(ActionError, match=r"record 1 of d\.tfrecord is damaged: its checksum is wrong"):
        list(samples(X, tmp_path / "d.tfrecord").feeds())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (example(x=[1.0, 2.0]), r"sample has 2 values \(feature `x`\), input `x` wants \[3\]"),
        (example(z=[1.0]), "record 1 of d.tfrecord has no feature `x`, which other records have"),
        (example(x=[b"12", b"3"]), r"record 1 of d.tfrecord has 2 strings in `x`"),
        (b"\x0b", "cannot read `record 1 of d.tfrecord`: .*; is it a tf.train.Example?"),
    ],
)
def test_record_unlike_the_first_is_refused(tmp_path: Path, record: bytes, message: str) -> None:
    path = write(tmp_path / "d.tfrecord", example(x=[1.0, 2.0, 3.0]), record)

    with pytest.raises(ActionError, match=message):
        list(samples(X, path).feeds())


def test_feature_that_nobody_has_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tfrecord", example(a=[1.0], b=[1]))

    with pytest.raises(ActionError, match="has no feature `x` for input `x`; it has `a`, `b`"):
        samples(X, path)


TENSORFLOW = """
import numpy as np, tensorflow as tf
def feature(value):
    if isinstance(value, bytes): return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if value.dtype.kind == "f": return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))
generator = np.random.default_rng(0)
for name, options in (("d.tfrecord", None), ("z.tfrecord", tf.io.TFRecordOptions(compression_type="GZIP"))):
    with tf.io.TFRecordWriter(name, options) as writer:
        for n in range(5):
            image = tf.io.encode_png(np.full((4, 4, 3), n, np.uint8)).numpy()
            raw = np.full((2, 2), n, np.float32)
            features = {"image": image, "raw": raw.tobytes(), "f": np.arange(3) / (n + 1.0),
                        "i": np.array([n, -n, 2**62]), "y": np.array([n])}
            named = {key: feature(value) for key, value in features.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString())
"""


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["d.tfrecord", "z.tfrecord"])
def test_what_tensorflow_writes_is_read(tmp_path: Path, name: str) -> None:
    run_tensorflow(TENSORFLOW, tmp_path)
    known = interface(
        tensor("image", -1, 4, 4, 3), tensor("raw", -1, 2, 2), tensor("f", -1, 3), tensor("i", -1, 3, kind="i64")
    )

    read = samples(known, tmp_path / name, labels="y")

    assert [0, 1, 2, 3, 4] == labels(read) == values(read, "image")[:, 3, 3, 1].tolist()
    assert [0, 1, 2, 3, 4] == values(read, "raw")[:, 1, 0].tolist()
    assert np.allclose([[k / (n + 1) for k in range(3)] for n in range(5)], values(read, "f"))
    assert [[n, -n, 1 << 62] for n in range(5)] == values(read, "i").tolist()
