"""What a checkout or a copy left behind is named: pointers of Git LFS, files of variables that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.integrity.fetched import check_fetched, lacking
from tests.graphdefs import message
from tests.workers.tables import written

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4\n"


def saved_model(folder: Path, **files: bytes) -> Path:
    """Write a folder; in names, `__` is a slash and `_dot_` a dot."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "name", ["saved_model_dot_pb", "variables__variables_dot_index", "assets__words_dot_txt", "assets_dot_extra__a"]
)
def test_pointer_anywhere_in_a_folder_is_named(tmp_path: Path, name: str) -> None:
    files = {"saved_model_dot_pb": b"\x08\x01", "variables__variables_dot_index": b"\0", "assets__words_dot_txt": b"a"}
    source = saved_model(tmp_path / "m", **{**files, name: POINTER})

    with pytest.raises(ActionError) as caught:
        check_fetched(source)

    shown = name.replace("__", "/").replace("_dot_", ".")
    assert f"`m/{shown}` is a Git LFS pointer, not the file itself" == caught.value.message
    assert ("not-fetched", "fetch the file: `git lfs pull`") == (caught.value.code, caught.value.help)


def test_pointer_beside_a_meta_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.meta").write_bytes(b"graph")
    (tmp_path / "m.data-00000-of-00001").write_bytes(POINTER)
    (tmp_path / "other.index").write_bytes(POINTER)

    with pytest.raises(ActionError, match=r"`m\.data-00000-of-00001` is a Git LFS pointer"):
        check_fetched(tmp_path / "m.meta")


def test_what_only_looks_like_a_pointer_is_none(tmp_path: Path) -> None:
    """A text about pointers, and a large file that begins like one."""
    source = saved_model(
        tmp_path / "m", assets__words_dot_txt=b"git\n" + POINTER, variables__x=POINTER + bytes(2000), empty=b""
    )

    check_fetched(source)
    check_fetched(source / "empty")
    check_fetched(tmp_path / "gone")


def index(shards: int) -> bytes:
    return written({b"": message((1, shards)), b"v": b"entry"})


@pytest.mark.parametrize(
    ("shards", "there", "expected"),
    [
        (1, [0], ""),
        (1, [], "`variables/` lacks `variables.data-00000-of-00001`"),
        (3, [1], "`variables/` lacks `variables.data-00000-of-00003`, `variables.data-00002-of-00003`"),
        (
            5,
            [],
            (
                "`variables/` lacks `variables.data-00000-of-00005`, `variables.data-00001-of-00005`, "
                "`variables.data-00002-of-00005` and 2 more"
            ),
        ),
    ],
)
def test_missing_shards_are_named(tmp_path: Path, shards: int, there: list[int], expected: str) -> None:
    source = saved_model(tmp_path / "m", variables__variables_dot_index=index(shards))
    for number in there:
        (source / f"variables/variables.data-{number:05d}-of-{shards:05d}").write_bytes(b"")

    assert expected == lacking(source)


def test_index_that_lies_names_no_billion_files(tmp_path: Path) -> None:
    source = saved_model(tmp_path / "m", variables__variables_dot_index=index((1 << 31) - 1))

    assert lacking(source).endswith("and 997 more")


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (b"..VarHandleOp..", "`variables/` lacks `variables.index`"),
        (b"..VariableV2..", "`variables/` lacks"),
        (b"", ""),
    ],
)
def test_missing_index_matters_where_there_are_variables(tmp_path: Path, graph: bytes, expected: str) -> None:
    found = lacking(saved_model(tmp_path / "m", saved_model_dot_pb=graph))

    assert found.startswith(expected)
    assert bool(expected) == bool(found)


def test_what_has_no_variables_or_a_torn_index_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(b"VariableV2")

    assert "" == lacking(tmp_path / "g.pb") == lacking(saved_model(tmp_path / "none"))
    assert "" == lacking(saved_model(tmp_path / "torn", variables__variables_dot_index=index(2)[:50]))


def test_missing_shard_of_a_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.meta").write_bytes(b"graph")
    (tmp_path / "m.index").write_bytes(index(2))
    (tmp_path / "m.data-00000-of-00002").write_bytes(b"")

    assert "its folder lacks `m.data-00001-of-00002`" == lacking(tmp_path / "m.meta")
