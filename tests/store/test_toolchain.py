"""Versions of tools and facts of the machine, without importing a tool."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.store.toolchain import INSTALL, WHEELS, Toolchain


@pytest.mark.parametrize("tool", ["numpy", "openvino", "nncf"])
def test_version_is_that_of_the_installed_wheel(tool: str) -> None:
    assert Toolchain().version(tool) == importlib.metadata.version(tool)


def test_tool_that_is_no_wheel_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An egg-info is what distributions of Linux and `setup.py develop` leave.
    (tmp_path / "oldtool.egg-info").mkdir()
    (tmp_path / "oldtool.egg-info/PKG-INFO").write_text("Metadata-Version: 2.1\nName: oldtool\nVersion: 1.5\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert Toolchain().version("oldtool") == "1.5"


def test_first_folder_of_the_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy-0.0.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    assert Toolchain().version("numpy") == "0.0.1"


def test_other_wheel_whose_name_begins_the_same_is_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy_extras-9.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    assert Toolchain().version("numpy") == importlib.metadata.version("numpy")


def test_one_import_name_has_several_wheels() -> None:
    installed = {found.metadata["Name"].lower().replace("_", "-") for found in importlib.metadata.distributions()}
    wheels = [wheel for wheel in WHEELS["tensorflow"] if wheel in installed]
    if not wheels:
        pytest.skip("no TensorFlow here")

    assert Toolchain().version("tensorflow") == importlib.metadata.version(wheels[0])


def test_asking_imports_nothing() -> None:
    before = set(sys.modules)
    toolchain = Toolchain()
    toolchain.version("numpy")
    toolchain.environment("machine")

    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert loaded & {"numpy", "openvino", "tensorflow", "nncf", "keras"} == set()


def test_missing_tool_is_named_with_what_to_install() -> None:
    with pytest.raises(OvmakeError) as caught:
        Toolchain().version("no-such-tool")

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "tool-missing"
    assert diagnostic.message == "`no-such-tool` is not installed in the Python that runs ovmake"
    assert diagnostic.help == "pip install no-such-tool"
    assert caught.value.exit_status == 1


def test_missing_tensorflow_leaves_the_choice_of_wheel() -> None:
    assert INSTALL["tensorflow"] == 'pip install "ovmake[cpu]", or "ovmake[tensorflow]" for the wheel with GPU support'


def test_instruction_sets_are_sorted_words() -> None:
    words = Toolchain().environment("isa").split()

    assert words == sorted(set(words))
    assert words


def test_machine_names_what_a_measurement_depends_on() -> None:
    toolchain = Toolchain()

    machine = toolchain.environment("machine")

    assert re.search(r"; \d+ cores; cpu limit (none|[\d.]+); \d+ MiB; ", machine)
    assert machine.endswith(toolchain.environment("isa"))


def test_the_same_machine_is_the_same_twice() -> None:
    assert Toolchain().environment("machine") == Toolchain().environment("machine")
