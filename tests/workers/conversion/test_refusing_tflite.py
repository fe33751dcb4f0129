"""What is said of .tflite files that OpenVINO refuses: the operation, a cut, a state; a sound one is never damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.dataflow import Op
from ovmake.sources.tflite_graph import TfliteGraph
from ovmake.workers.conversion.refusing_tflite import refused, unread

UNTRANSLATED = "OpenVINO cannot convert `m.tflite`: Check 'a' failed at b: No translator found for Mine node."
RESOURCE = "OpenVINO cannot convert `m.tflite`: Check 'a' failed at b: Unexpected type: RESOURCE"


def flat(*ops: Op, kinds: dict[str, str], silent: tuple[str, ...] = ()) -> TfliteGraph:
    """Return a model from `x` to the last operation."""
    given = Op(name="x", type="Placeholder")
    return TfliteGraph(
        ops=(given, Op(name="w", type="Const"), *ops),
        inputs={"x": "x:0"},
        outputs={"y": f"{ops[-1].name}:0"},
        spelling={},
        kinds=kinds,
        silent=silent,
    )


def operator(name: str, *inputs: str) -> Op:
    return Op(name=name, type="Operator", inputs=inputs)


def told(message: str, model: TfliteGraph) -> ActionError:
    return refused(ActionError("cannot-convert", message, setting="source"), model)


@pytest.mark.parametrize(
    ("ops", "ways"),
    [
        (
            [operator("a", "x:0"), operator("m", "a:0", "w:0"), operator("z", "m:0")],
            'cut the model before it, `cut.outputs = ["a"]`, or after it, `cut.inputs = ["m:0"]`',
        ),
        ([operator("m", "x:0"), operator("z", "m:0")], 'cut the model after it, `cut.inputs = ["m:0"]`'),
        ([operator("a", "x:0"), operator("m", "a:0")], 'cut the model before it, `cut.outputs = ["a"]`'),
        (
            [operator("m", "x:0")],
            "cut the model before it or after it, with `cut`; `ovmake inspect` lists the layers",
        ),
    ],
)
def test_operation_is_named_with_the_cuts_that_leave_it_out(ops: list[Op], ways: str) -> None:
    error = told(UNTRANSLATED, flat(*ops, kinds={"m": "Mine"}))

    assert "OpenVINO cannot convert `m.tflite`: it has no rule for the operation `Mine`" == error.message
    assert ways == error.help
    assert ("OpenVINO: Check 'a' failed at b: No translator found for Mine node.",) == error.notes


def test_state_is_named_as_one() -> None:
    error = told(RESOURCE, flat(operator("a", "x:0"), kinds={}, silent=("ASSIGN_VARIABLE", "CALL_ONCE")))

    assert error.message.endswith(
        "it keeps state in variables between calls, which OpenVINO's reader of .tflite files does not support"
    )
    assert "damaged" not in error.help


def test_table_is_named_with_the_cuts_around_it() -> None:
    ops = [operator("t"), operator("a", "x:0"), operator("f", "t:0", "a:0", "w:0"), operator("z", "f:0")]
    error = told(RESOURCE, flat(*ops, kinds={"t": "HASHTABLE", "f": "HASHTABLE_FIND"}, silent=("CALL_ONCE",)))

    assert error.message.endswith("it has a lookup table (`f`)")
    assert 'cut the model before it, `cut.outputs = ["a"]`, or after it, `cut.inputs = ["f:0"]`' == error.help


def test_other_refusals_stay_as_they_are() -> None:
    error = ActionError("cannot-convert", "OpenVINO cannot convert `m.tflite`: of something else", setting="source")

    assert error is refused(error, flat(operator("a", "x:0"), kinds={}))


UNREAD = ActionError("cannot-convert", "`m.tflite` cannot be read: tuple index out of range", setting="source")


def test_file_that_cannot_be_checked_is_not_given_to_tflite(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(3))

    error = unread(UNREAD, path, ())

    assert (UNREAD.message, ()) == (error.message, error.notes)
    assert "the file is damaged or truncated: copy or download it again" == error.help


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["float.tflite", "streaming.tflite", "custom.tflite"])
def test_file_that_tflite_reads_is_never_called_damaged(sources: Path, name: str) -> None:
    error = unread(UNREAD, sources / name, ())

    assert f"{UNREAD.message}: ovmake's reader fails, TFLite reads it" == error.message
    assert "damaged" not in error.help


@pytest.mark.heavy
def test_file_that_tflite_refuses_has_its_words(sources: Path, tmp_path: Path) -> None:
    """Its head is sound, and one of its tensors lies past its end."""
    content = bytearray((sources / "float.tflite").read_bytes())
    content[4:8] = b"TFL9"
    (tmp_path / "m.tflite").write_bytes(content)

    error = unread(UNREAD, tmp_path / "m.tflite", ())

    assert "the file is damaged or truncated: copy or download it again" == error.help
    assert error.notes[0].startswith("TFLite: ")
