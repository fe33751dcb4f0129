"""Models that would do harm are refused by the installed program, and do none; those that only look so are built.

`make_attacks.py` makes them. What they would write and read lies beside them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.sources.screening.screen import screen
from tests.e2e.conftest import EXAMPLE, Repo, Result
from tests.once import copy_of, once
from tests.workers.conftest import run_python, sources_once

pytestmark = pytest.mark.heavy

# model -> its source, what the Ovfile says of it, how the message ends
ATTACKS: dict[str, tuple[str, str, str]] = {
    "init-op": ("init-op", "", "[serve], init op, node `WriteFile`: WriteFile writes files"),
    "restore-op": ("restore-op", "", "[serve], restore op, node `harm`: WriteFile writes files"),
    "restore-meta": ("restore-meta/model.meta", "", "`model.meta`, restore op, node `harm`: WriteFile writes files"),
    "variable-read": ("variable-read", "", "[serve], variables, node `harm`: WriteFile writes files"),
    "reading-meta": ("reading-meta/model.meta", "", "`model.meta`, inference, node `ReadFile`: ReadFile reads files"),
    "printing": ("printing", "", "PrintV2 writes to `file://…/written`"),
    "saving": ("saving", "", "SaveV2 writes files"),
    "reading": ("reading", 'signature = "other"', "[serve], init op, node `ReadFile`: ReadFile reads files"),
    "reading-plain": ("reading", "", "[serve], init op, node `ReadFile`: ReadFile reads files"),
    "reading-pb": ("reading.pb", "", "`reading.pb`, node `ReadFile`: ReadFile reads files"),
    "constant-path": ("constant-path", "", "InitializeTableFromTextFileV2 reads a table from a file"),
    "outside-asset": ("outside-asset", "", "its asset `../../secret` is not in its `assets`"),
    "linked-asset": ("linked-asset", "", "its asset `vocabulary.txt` is not in its `assets`"),
}
GOOD = {
    "good-tf1": "good-tf1",
    "good-table": "good-table",
    "good-table-1": "good-table-1",
    "good-meta": "good-meta/model.meta",
    "good-records": "good-records/model.meta",
}
SECRET = b"0123456789abcdef0123456789ABCDEF"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all of them; an attack writes into it."""
    return once(tmp_path_factory, "attacks", lambda folder: print(run_python("../e2e/make_attacks.py", str(folder))))


@pytest.fixture(scope="module")
def repo(made: Path) -> Repo:
    """A repo in that folder."""
    sources = {name: (source, more) for name, (source, more, _) in ATTACKS.items()}
    sources |= {name: (source, "") for name, source in GOOD.items()}
    tables = [f'[models.{name}]\nsource = "{source}"\n{more}\n' for name, (source, more) in sources.items()]
    (made / "Ovfile").write_text('[defaults]\nprecisions = ["fp32"]\n' + "".join(tables))
    return Repo(folder=made)


@pytest.fixture(scope="module", params=[(), ("--force", "--no-user-code")], ids=["build", "build --no-user-code"])
def built(request: pytest.FixtureRequest, repo: Repo) -> Result:
    """What `ovmake build -k` says of all of them."""
    result = repo.ovmake("build", "-k", *request.param)
    assert 1 == result.status
    return result


def harmed(folder: Path) -> list[str]:
    """Return what was written, and what of the build holds the secret: as bytes, or as numbers."""
    import numpy as np

    as_numbers = np.frombuffer(SECRET, "uint8").astype("float32").tobytes()
    published = [path for path in (folder / "build").rglob("*") if path.is_file()]
    stored = [path for path in (folder / ".ovmake").rglob("*") if path.is_file()]
    leaks = [
        str(path)
        for path in (*published, *stored)
        if any(secret in path.read_bytes() for secret in (SECRET, as_numbers))
    ]
    return [*map(str, folder.glob("written*")), *leaks]


def said_of(result: Result, model: str, folder: Path) -> str:
    """Return the error about a model."""
    blocks = [
        block for block in result.stderr.split("\nerror[") if f" {model}: " in block or f" {model}:fp32: " in block
    ]
    return "\n".join(blocks).replace(str(folder), "…")


def test_build_refuses_and_no_harm_is_done(repo: Repo, built: Result) -> None:
    assert [] == harmed(repo.folder)
    for name, (source, _, ending) in ATTACKS.items():
        said = said_of(built, name, repo.folder)
        assert "op-refused]" in said, (name, built.stderr)
        assert f"`{Path(source).name}` does more than compute: " in said
        assert ending in said
        assert not (repo.folder / "build" / name).exists()


@pytest.mark.parametrize("model", GOOD)
def test_model_that_only_looks_so_is_built(repo: Repo, built: Result, model: str) -> None:
    assert f"{model}:fp32" in built.stdout, built.stderr
    assert (repo.folder / "build" / model / "fp32" / f"{model}.xml").is_file()


def test_models_of_all_sorts_are_let_through(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    others = sources_once(tmp_path_factory)
    models = [*made.glob("good-*"), *others.iterdir(), EXAMPLE / "models" / "fashion"]
    models = [path for path in models if (path / "saved_model.pb").exists() and path.name != "truncated"]

    assert {"good-strings", "good-again", "tf2", "lstm", "partitioned", "fashion"} <= {path.name for path in models}
    for path in models:
        screen(path, "saved-model")


@pytest.mark.parametrize("model", ATTACKS)
def test_inspect_refuses_and_no_harm_is_done(repo: Repo, model: str) -> None:
    source, _, ending = ATTACKS[model]

    result = repo.ovmake("inspect", source)

    assert (1, "") == (result.status, result.stdout)
    assert "error[op-refused]" in result.stderr
    assert ending in result.stderr.replace(str(repo.folder), "…")
    assert [] == harmed(repo.folder)


def test_inspect_refuses_an_operation_of_tensorflow_s_in_a_tflite_file(repo: Repo) -> None:
    result = repo.ovmake("inspect", "writing.tflite")

    assert 1 == result.status
    assert "`writing.tflite` does more than compute: `writing.tflite`, node `operator 0`: WriteFile" in result.stderr
    assert [] == harmed(repo.folder)


def test_operation_of_tensorflow_s_may_not_hide_behind_another_label(repo: Repo) -> None:
    content = (repo.folder / "writing.tflite").read_bytes()
    assert 2 <= content.count(b"WriteFile")
    (repo.folder / "hiding.tflite").write_bytes(content.replace(b"FlexWriteFile", b"FlexZerosLike"))

    result = repo.ovmake("inspect", "hiding.tflite")

    assert 1 == result.status
    assert "ZerosLike has `WriteFile` in its options, which writes files" in result.stderr
    assert [] == harmed(repo.folder)


# trusted models


def test_what_is_trusted_runs_if_ovfile_and_command_line_say_so(made: Path, tmp_path: Path) -> None:
    trusted = copy_of(made / "reading", tmp_path / "reading").parent
    (trusted / "reading/secret").symlink_to(made / "secret")  # or the worker's cage keeps the model from it
    line = 'signature = "other"\nallow-ops = ["ReadFile"]\n'
    (trusted / "Ovfile").write_text(f'[models.m]\nsource = "reading"\nprecisions = ["fp32"]\n{line}')
    repo = Repo(folder=trusted)

    refused = repo.ovmake("build", "--allow-outside")
    built = repo.ovmake("build", "--allow-outside", "--allow-ops")

    assert (2, True) == (refused.status, "error[allow-ops]" in refused.stderr)
    assert 0 == built.status, built.stderr
    assert harmed(trusted), "the model reads its file, as its owner wants it to"


def test_inspect_takes_the_names(made: Path, tmp_path: Path) -> None:
    repo = Repo(folder=copy_of(made / "reading", tmp_path / "reading").parent)
    (tmp_path / "reading/secret").symlink_to(made / "secret")

    other, right = (repo.ovmake("inspect", "--allow-ops", ops, "reading") for ops in ("WriteFile", "ReadFile,PyFunc"))

    assert (1, 0) == (other.status, right.status)
    assert "ReadFile reads files" in other.stderr
    assert "scores" in right.stdout
