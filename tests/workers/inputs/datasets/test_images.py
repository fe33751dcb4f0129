"""Folders of images: classes, sizes, channels, and what is wrong with a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovmake.contracts.files.interface import Interface, Preparation, Tensor
from ovmake.errors import ActionError
from tests.workers.inputs.datasets.models import IMAGES, interface, labels, paint, samples, tensor, values

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    paint(tmp_path / "dog/a.png", BLUE)
    paint(tmp_path / "cat/b.png", RED)
    paint(tmp_path / "cat/deeper/c.bmp", RED)
    (tmp_path / "cat/notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def test_label_is_the_place_of_the_folder_in_sorted_order(pets: Path) -> None:
    read = samples(IMAGES, pets)

    assert [0, 0, 1] == labels(read)
    assert [[255, 0, 0], [255, 0, 0], [0, 0, 255]] == values(read, "image")[:, 1, 1].tolist()


def test_classes_of_the_ovfile_give_the_numbers(pets: Path) -> None:
    assert [2, 2, 1] == labels(samples(IMAGES, pets, classes=["bird", "dog", "cat"]))


def test_folder_that_is_no_class_is_refused(pets: Path) -> None:
    with pytest.raises(ActionError, match="the folder `dog` is not a class in `classes`") as caught:
        samples(IMAGES, pets, classes=["cat", "dogs"])

    assert ("dataset.classes", "did you mean `dogs`?") == (caught.value.setting, caught.value.help)


def test_images_in_no_folder_have_no_labels(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED)

    (feed,) = samples(IMAGES, tmp_path).feeds()

    assert (1, None) == (feed.count, feed.labels)


def test_image_beside_the_folders_is_refused(pets: Path) -> None:
    paint(pets / "stray.png", RED)

    with pytest.raises(ActionError, match=r"`stray\.png` is beside the class folders"):
        samples(IMAGES, pets)


def test_folder_without_images_is_empty(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()

    with pytest.raises(ActionError, match="has no samples"):
        samples(IMAGES, tmp_path)


def test_labels_by_name_are_refused(pets: Path) -> None:
    with pytest.raises(ActionError, match="the label of an image is its sub-folder"):
        samples(IMAGES, pets, labels="y")


@pytest.mark.parametrize(
    ("shape", "params", "expected"),
    [
        ((-1, 8, 8, 3), {}, [255, 0, 0]),
        ((-1, 8, 8, 3), {"images__channels": "bgr"}, [0, 0, 255]),
        ((-1, 8, 8, 1), {}, [76]),
        ((-1, 8, 8, 4), {}, [255, 0, 0, 255]),
        ((-1, 8, 8, -1), {"images__channels": "gray"}, [76]),
    ],
)
def test_channels_are_those_of_the_input(
    tmp_path: Path, shape: tuple[int, ...], params: dict[str, object], expected: list[int]
) -> None:
    paint(tmp_path / "a.png", RED, (8, 8))

    read = samples(interface(tensor("image", *shape)), tmp_path, **params)

    assert expected == values(read, "image")[0, 1, 2].tolist()


def test_channels_come_first_where_the_input_has_them_first(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED)

    found = values(samples(interface(tensor("image", -1, 3, 4, 4)), tmp_path), "image")

    assert ((1, 3, 4, 4), [255, 0, 0]) == (found.shape, found[0, :, 0, 0].tolist())


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 1, 2, 3)])
def test_layout_that_sizes_do_not_tell_is_told_by_the_transpose(tmp_path: Path, order: tuple[int, ...]) -> None:
    paint(tmp_path / "a.png", RED, (3, 3))
    plan = Preparation(type="f32", shape=(-1, 3, 3, 3), transpose=order)
    known = interface(Tensor(name="image", shape=(-1, 3, 3, 3), type="f32", prepare=plan))

    found = values(samples(known, tmp_path), "image")[0]

    assert [255, 0, 0] == (found[:, 1, 1] if order[-1] == 1 else found[1, 1]).tolist()


def test_input_without_channels_takes_gray(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", 7, (28, 28))

    assert [[7.0] * 28] * 28 == values(samples(interface(tensor("x", -1, 28, 28)), tmp_path), "x")[0].tolist()


def test_input_without_a_batch_takes_whole_images(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED)

    (feed,) = samples(interface(tensor("image", 4, 4, 3)), tmp_path).feeds()

    assert (4, 4, 3) == feed.inputs["image"].shape


def gradient(folder: Path, height: int, width: int) -> Path:
    """Write an image in which a pixel's red is its row and its green its column."""
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    Image.fromarray(np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)).save(folder / "g.png")
    return folder


def test_crop_takes_the_centre(tmp_path: Path) -> None:
    found = values(samples(IMAGES, gradient(tmp_path, 10, 20), images__crop=[4]), "image")[0]

    assert ([3, 4, 5, 6], [8, 9, 10, 11]) == (found[:, 0, 0].tolist(), found[0, :, 1].tolist())


def test_resize_brings_the_shorter_side_to_a_size_and_keeps_the_aspect(tmp_path: Path) -> None:
    known = interface(tensor("image", -1, -1, -1, 3))

    shapes = [
        feed.inputs["image"].shape for feed in samples(known, gradient(tmp_path, 10, 20), images__resize=[5]).feeds()
    ]

    assert [(1, 5, 10, 3)] == shapes


def test_resize_to_height_and_width_is_pillows_bilinear(tmp_path: Path) -> None:
    found = values(samples(IMAGES, gradient(tmp_path, 10, 20), images__resize=[4, 4]), "image")[0]

    with Image.open(tmp_path / "g.png") as image:
        assert np.array_equal(np.asarray(image.resize((4, 4), Image.Resampling.BILINEAR)), found)


def test_images_of_any_size_go_in_one_by_one_where_the_model_takes_any(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED, (4, 6))
    paint(tmp_path / "b.png", RED, (8, 2))
    known = interface(tensor("image", -1, -1, -1, 3))

    assert [(1, 4, 6, 3), (1, 8, 2, 3)] == [feed.inputs["image"].shape for feed in samples(known, tmp_path).feeds()]


def test_images_of_any_size_do_not_go_into_a_fixed_batch(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED, (4, 6))
    paint(tmp_path / "b.png", RED, (8, 2))
    read = samples(interface(tensor("image", 2, -1, -1, 3)), tmp_path)

    with pytest.raises(ActionError, match=r"different shapes, \[4, 6, 3\] and \[8, 2, 3\]"):
        list(read.feeds())


def look_at_all(known: Interface, folder: Path, **params: object) -> None:
    read = samples(known, folder, **params)
    for column in read.columns.values():
        assert column.look is not None
        column.look(read.order)


@pytest.mark.parametrize("action", ["look", "read"])
def test_image_of_another_size_says_which_and_what_to_write(pets: Path, action: str) -> None:
    paint(pets / "dog/b.png", RED, (6, 5))

    with pytest.raises(ActionError) as caught:
        look_at_all(IMAGES, pets) if action == "look" else list(samples(IMAGES, pets).feeds())

    assert "`dog/b.png` is 6 high and 5 wide, input `image` takes 4 high and 4 wide" == caught.value.message
    assert "`images = { resize = [4, 4] }`" in caught.value.help
    assert "dataset.images" == caught.value.setting


def test_file_that_is_no_image_is_found_by_its_header(pets: Path) -> None:
    (pets / "dog/b.jpg").write_bytes(b"not an image")

    words = "it begins with the bytes 6e 6f 74 20 61 6e 20 69; images are JPEG, PNG,"
    with pytest.raises(ActionError, match=f"cannot read `dog/b.jpg`: {words}"):
        look_at_all(IMAGES, pets)


def test_image_that_ends_early_is_named(pets: Path) -> None:
    Image.effect_noise((64, 64), 50).save(pets / "dog/b.jpg")
    (pets / "dog/b.jpg").write_bytes((pets / "dog/b.jpg").read_bytes()[:700])

    with pytest.raises(ActionError, match=r"cannot read `dog/b.jpg`: .*truncated"):
        list(samples(IMAGES, pets, images__resize=[4, 4]).feeds())


def test_image_of_16_bits_is_refused_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 3000, dtype=np.uint16)).save(tmp_path / "a.png")

    with pytest.raises(ActionError, match=r"`a.png` has more than 8 bits a channel"):
        list(samples(interface(tensor("image", -1, 4, 4, 1)), tmp_path).feeds())


def test_crop_that_is_larger_than_the_image_is_refused(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", RED, (3, 9))

    with pytest.raises(ActionError, match=r"`a.png` is 3 high and 9 wide, smaller than `crop`"):
        list(samples(IMAGES, tmp_path, images__crop=[4, 4]).feeds())


@pytest.mark.parametrize(
    ("shape", "params", "message"),
    [
        ((-1, 10), {}, r"has shape \[-1, 10\], which is not that of images"),
        ((-1, 4, 4, 3), {"images__channels": "gray"}, "takes 3 channels, and `gray` images have 1"),
        ((-1, 8, 8, 7), {}, "takes 7 channels, and `rgb` images have 3"),
    ],
)
def test_input_that_takes_no_such_images(
    tmp_path: Path, shape: tuple[int, ...], params: dict[str, object], message: str
) -> None:
    paint(tmp_path / "a.png", RED)

    with pytest.raises(ActionError, match=message):
        samples(interface(tensor("x", *shape)), tmp_path, **params)
