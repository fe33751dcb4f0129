"""What is broken, in a model or in what an Ovfile says of it: a diagnostic that says what to do, and others are built.

`broken_models.txt` holds the whole message for each; `python -m tests.e2e.test_broken_models FOLDER` writes it anew
from what is built in an empty folder. What frameworks say is cut off where their words begin, for they change.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Repo, Result, environment
from tests.once import copy_of
from tests.workers.conftest import run_python, sources_once

pytestmark = pytest.mark.heavy

EXPECTED = Path(__file__).with_name("broken_models.txt")

# model -> its table in the Ovfile
CASES: dict[str, str] = {
    "string-input": 'source = "strings"',
    "unsupported-op": 'source = "unsupported"',
    "torn-saved-model": 'source = "truncated"',
    "no-variables": 'source = "no-variables"',
    "no-signature": 'source = "unsigned"',
    "page-keras": 'source = "page.keras"',
    "magic-tflite": 'source = "magic.tflite"',
    "magic-h5": 'source = "magic.h5"',
    "noise-pb": 'source = "noise.pb"',
    "empty-pb": 'source = "empty.pb"',
    "torn-pb": 'source = "truncated.pb"',
    "torn-h5": 'source = "truncated.h5"',
    "torn-keras": 'source = "torn-several.keras"',
    "torn-tflite": 'source = "torn-float.tflite"',
    "torn-int8": 'source = "torn-integer.tflite"',
    "no-data": 'source = "no-data/model-10.meta"',
    "dangling": 'source = "several.keras"\ncut.inputs = ["image"]',
    "unknown-layer": 'source = "whole.pb"\ncut.outputs = ["rigth/dense"]',
    "ambiguous-layer": 'source = "whole.pb"\ncut.outputs = ["dense"]',
    "unknown-tensor": 'source = "whole.pb"\ncut.outputs = ["head/MatMul:3"]',
    "unknown-input": 'source = "whole"\ninputs.y.mean = 1',
    "unknown-output": 'source = "whole"\noutputs.scorse = "s"',
    "unknown-signature": 'source = "tf2"\nsignature = "othre"',
    "unknown-tags": 'source = "tf1"\ntags = ["gpu"]',
    "wrong-rank": 'source = "whole"\ninputs.x.shape = [1, 4, 1]',
    "impossible-shape": 'source = "whole"\ninputs.x.shape = [1, 5]',
    "wrong-value": 'source = "whole"\ninputs.x.value = [1, 2, 3]',
    "wrong-value-type": 'source = "tf2"\nsignature = "other"\nbatch = 1\ninputs.n.value = 0.5',
    "value-dynamic": 'source = "tf2"\ninputs.q.value = 0.5',
    "no-batch": 'source = "scalar"\nbatch = 2',
    "impossible-batch": 'source = "whole.pb"\nbatch = 2',
    "layout-letters": 'source = "several.keras"\ninputs.image.layout = "NCXY"',
    "layout-rank": 'source = "whole"\ninputs.x.layout = "NCHW"',
    "wrong-kind": 'source = "frozen.pb"\nkind = "keras"',
    "wrong-kind-lite": 'source = "frozen.pb"\nkind = "tflite"',
    "wrong-kind-pb": 'source = "float.tflite"\nkind = "frozen-graph"',
    "wrong-kind-saved": 'source = "float.tflite"\nkind = "saved-model"',
    "code": 'source = "lambda.keras"',
    "custom": 'source = "custom.keras"',
    "duplicate-output": 'source = "whole"\noutputs.scores = "square"',
    "cut-tflite-unknown": 'source = "float.tflite"\ncut.outputs = ["pol"]',
    "cut-saved-unknown": 'source = "whole"\ncut.outputs = ["heda"]',
    "cut-in-unknown": 'source = "whole"\ncut.inputs = ["heda"]',
    "cut-const": 'source = "whole"\ncut.outputs = ["head/ones"]',
    "channels": 'source = "several.keras"\ninputs.image.mean = [1, 2]',
    "one-colour": 'source = "gray"\ninputs.x.reverse-channels = true',
    "custom-tflite": 'source = "custom.tflite"',
    "state-tflite": 'source = "streaming.tflite"',
    "table-keras": 'source = "shop.keras"',
    "table-cut": 'source = "shop"\ncut.outputs = ["embedding"]',
    "table-strings": 'source = "strings-table"',
    "tflite-second-signature": 'source = "coder.tflite"\nsignature = "encode"',
    "tflite-no-signature": 'source = "coder.tflite"\nsignature = "encoed"',
    "two-functions": 'source = "two-functions"',
    "stateful": 'source = "stateful"',
    "stateful-keras": 'source = "stateful.keras"',
    "stateful-loop": 'source = "smoothed"',
    "stateful-signature": 'source = "smoothed"\nsignature = "again"',
    "stateful-tf1": 'source = "smoothed-tf1"',
    "pointer-pb": 'source = "pointer-pb"',
    "pointer-index": 'source = "pointer-index"',
    "pointer-data": 'source = "pointer-data"',
    "pointer-tflite": 'source = "pointer.tflite"',
    "pointer-keras": 'source = "pointer.keras"',
    "pointer-h5": 'source = "pointer.h5"',
    "pointer-graph": 'source = "pointer.pb"',
    "pointer-checkpoint": 'source = "pointer-checkpoint/model-10.meta"',
    "no-shard": 'source = "no-shard"',
    "no-index": 'source = "no-index"',
    "short-shard": 'source = "short-shard"',
    "unfrozen": 'source = "unfrozen-reference.pb"',
    "unfrozen-resource": 'source = "unfrozen-resource.pb"',
    "unfrozen-function": 'source = "unfrozen-function.pb"',
}
GOOD = 'source = "tf2"'


def make(folder: Path) -> Repo:
    """Add broken models to a folder of good ones, and an Ovfile that asks for what cannot be."""
    run_python("../e2e/make_broken.py", str(folder))
    tables = "".join(f"[models.{name}]\n{table}\n" for name, table in {**CASES, "good": GOOD}.items())
    (folder / "Ovfile").write_text(f'[defaults]\nprecisions = ["fp32"]\n{tables}')
    return Repo(folder=folder)


def messages(stderr: str, folder: Path) -> dict[str, str]:
    """Return the message about each model, without what is other on another machine or with other frameworks."""
    found = {}
    for block in re.split(r"^(?=error\[)", stderr, flags=re.MULTILINE)[1:]:
        lines = block.splitlines(keepends=True)
        kept = [line for line in lines if re.match(r"error|help|\s*(-->|\||=|\d+ \|)", line)]
        text = "".join(kept).replace(str(folder), "…")
        text = re.sub(r"\(\d+ lines\)", "(N lines)", text)
        for words in (r"Check '", r"Cannot parse", r"Error parsing", r"unpack_from", r"Unable to sync", r"While valid"):
            text = re.sub(f"{words}.*", "…", text)
        text = re.sub(r"(note: Keras 3: ).*", r"\1…", text)
        name = re.match(r"error\[[\w-]+\]: \w+ ([\w-]+)", text)
        assert name is not None, text
        found[name[1]] = text
    return found


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The folder with everything."""
    return make(copy_of(sources_once(tmp_path_factory), tmp_path_factory.mktemp("broken") / "sources"))


@pytest.fixture(scope="module")
def result(repo: Repo) -> Result:
    """What `ovmake build -k` says."""
    return repo.ovmake("build", "-k")


def expected() -> dict[str, str]:
    """Return the message for each model."""
    blocks = EXPECTED.read_text().split("\n\n")
    return {block.split()[2].rstrip(":"): f"{block.strip()}\n" for block in blocks}


@pytest.mark.parametrize("model", CASES)
def test_message_says_what_is_wrong_and_where(repo: Repo, result: Result, model: str) -> None:
    assert expected()[model] == messages(result.stderr, repo.folder).get(model)


def test_others_are_built_and_nothing_else_failed(repo: Repo, result: Result) -> None:
    assert 1 == result.status
    assert "Traceback" not in result.stderr
    assert set(CASES) == set(messages(result.stderr, repo.folder)) == set(expected())
    assert ["good"] == [path.name for path in (repo.folder / "build").iterdir()]


def test_missing_tensorflow_says_what_to_install_and_what_needs_none_is_built(repo: Repo, tmp_path: Path) -> None:
    """In a virtual environment with all of this one's packages but TensorFlow."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    for entry in Path(pytest.__file__).parent.parent.iterdir():
        if not entry.name.startswith(("tensorflow", "_pytest", "__pycache__")):
            (packages / entry.name).symlink_to(entry)
    for name in ("tf2", "lstm.keras", "partitioned"):
        (tmp_path / name).symlink_to(repo.folder / name)
    (tmp_path / "Ovfile").write_text(
        '[defaults]\nprecisions = ["fp32"]\naccuracy = false\n[models.plain]\nsource = "tf2"\n'
        '[models.keras]\nsource = "lstm.keras"\n[models.parts]\nsource = "partitioned"\n'
    )

    done = subprocess.run(
        [str(tmp_path / "venv/bin/python"), "-P", "-m", "ovmake", "build", "-k", "--allow-outside"],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == done.returncode
    assert ["built", "failed", "failed"] == [line.split()[1] for line in done.stdout.splitlines()[:3]]
    assert MISSING == "".join(messages(done.stderr, tmp_path).values())


MISSING = """\
error[tool-missing]: freeze keras: `tensorflow` is not installed in the Python that runs ovmake
 --> Ovfile:6:1
  |
6 | [models.keras]
  | ^^^^^^^^^^^^^^
  |
help: pip install "ovmake[cpu]", or "ovmake[tensorflow]" for the wheel with GPU support
error[cannot-convert]: convert parts: OpenVINO cannot convert `partitioned`: …
 --> Ovfile:9:10
  |
9 | source = "partitioned"
  |          ^^^^^^^^^^^^^
  |
  = note: TensorFlow cannot freeze it either: No module named 'tensorflow'
  = note: full output in .ovmake/logs/convert-parts.log (N lines)
help: TensorFlow may be able to load it: `pip install "ovmake[cpu]"`
"""


if __name__ == "__main__":
    run_python("make_sources.py", sys.argv[1])
    repo_ = make(Path(sys.argv[1]))
    told = messages(repo_.ovmake("build", "-k").stderr, repo_.folder)
    EXPECTED.write_text("\n".join(told[name] for name in CASES))
