"""What an annotation takes from a framework is there. mypy takes such a name for Any, and a wrong one too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[2]
FILES = sorted(str(path) for room in ("workers", "sources") for path in (ROOT / "ovmake" / room).rglob("*.py"))


@pytest.mark.parametrize(
    ("by", "tops"),
    [("openvino", "openvino,nncf,pycocotools"), ("tensorflow", "tensorflow,keras,tf_keras,google,h5py")],
)
def test_every_class_of_a_framework_is_there(by: str, tops: str) -> None:
    found = json.loads(run_python("resolve_names.py", tops, *FILES, by=by))

    assert [] == found["missing"]
    assert found["count"] > 100


def test_a_class_that_is_not_there_is_found(tmp_path: Path) -> None:
    lines = (
        "from __future__ import annotations",
        "import openvino as ov",
        "from openvino.frontend import Plaice",
        "def run(model: ov.Modell, places: list[Plaice] | None, shape: ov.PartialShape) -> dict[str, ov.op.Constant]:",
        "    return {}",
    )
    (tmp_path / "wrong.py").write_text("\n".join(lines))

    found = json.loads(run_python("resolve_names.py", "openvino", str(tmp_path / "wrong.py"), by="openvino"))

    assert ["ov.Modell", "Plaice"] == [one.rpartition(": ")[2] for one in found["missing"]]
    assert 4 == found["count"]
