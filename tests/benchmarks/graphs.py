"""One file graph, written for five build tools, each in the simple way that its users would.

    models(count) -> names                           m0000, m0001, ...
    TOOLS["ninja"].write(folder, names)              the tool's own file; left alone if it is as it should be
    place_sources(folder, names, original)           four files for each model, copies of one SavedModel

Per model one SavedModel of four files and three precisions; per precision a step that reads the four and writes
build/MODEL/PRECISION/MODEL.xml and .bin. The peers' step is a copy. ovmake converts, and writes a third file into each
folder, record.json, at which it looks too.

    ninja       one rule; an edge for each step
    make        grouped targets (`&:`, GNU make 4.3), no pattern rules, `-r`: with the built-in rules it would look for
                ways to make each source
    doit        one generator of tasks, everything by default (md5 of files whose times changed, dbm)
    snakemake   one rule with wildcards, as its users write it; a rule for each precision has not been tried
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PRECISIONS = ("fp32", "fp16", "int8-weights")
SOURCES = (
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
)
# One model of the Ovfile ends with this comment, after which a setting can be put.
MARK = "# more settings of the last model\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A build tool: its file's name and text, its command, and what it says when there is nothing to do.

    `first` is the command of the first build where another than the measured one gets it done.
    """

    file: str
    text: Callable[[Sequence[str]], str]
    command: tuple[str, ...]
    idle: str
    first: tuple[str, ...] = ()

    def write(self, folder: Path, names: Sequence[str]) -> None:
        """Write the tool's file, unless it is there."""
        folder.mkdir(parents=True, exist_ok=True)
        path, text = folder / self.file, self.text(names)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def models(count: int) -> list[str]:
    """Return the models' names."""
    width = len(str(count - 1))
    return [f"m{number:0{width}}" for number in range(count)]


def place_sources(folder: Path, names: Sequence[str], original: Path) -> None:
    """Give every model that has none a copy of the SavedModel."""
    for name in names:
        if not (folder / "models" / name).exists():
            partial = folder / "models" / f".{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(original, partial)
            partial.rename(folder / "models" / name)


def sources(name: str) -> list[str]:
    """Return the paths of a model's files."""
    return [f"models/{name}/{file}" for file in SOURCES]


def outputs(name: str, precision: str) -> list[str]:
    """Return the paths of what one step makes."""
    return [f"build/{name}/{precision}/{name}.{suffix}" for suffix in ("xml", "bin")]


def _steps(names: Sequence[str]) -> list[tuple[str, str, list[str], list[str]]]:
    return [(name, precision, sources(name), outputs(name, precision)) for name in names for precision in PRECISIONS]


def _ninja(names: Sequence[str]) -> str:
    edges = [f"build {' '.join(made)}: copy {' '.join(read)}\n" for _, _, read, made in _steps(names)]
    return "rule copy\n  command = cat $in | tee $out > /dev/null\n" + "".join(edges)


def _make(names: Sequence[str]) -> str:
    rules = [
        f"{' '.join(made)} &: {' '.join(read)}\n\t@mkdir -p {made[0].rpartition('/')[0]}\n"
        f"\t@cat $^ | tee {' '.join(made)} > /dev/null\n"
        for _, _, read, made in _steps(names)
    ]
    wanted = " ".join(path for _, _, _, made in _steps(names) for path in made)
    return f".PHONY: all\nall: {wanted}\n" + "".join(rules)


def _doit(names: Sequence[str]) -> str:
    return f"""MODELS = {list(names)!r}
PRECISIONS = {PRECISIONS!r}
SOURCES = {SOURCES!r}
COPY = "cat {{}} | tee {{}} > /dev/null"


def task_copy():
    for model in MODELS:
        for precision in PRECISIONS:
            read = [f"models/{{model}}/{{file}}" for file in SOURCES]
            made = [f"build/{{model}}/{{precision}}/{{model}}.{{suffix}}" for suffix in ("xml", "bin")]
            yield {{
                "name": f"{{model}}:{{precision}}",
                "file_dep": read,
                "targets": made,
                "actions": [f"mkdir -p build/{{model}}/{{precision}}; " + COPY.format(" ".join(read), " ".join(made))],
            }}
"""


def _snakemake(names: Sequence[str]) -> str:
    read = ", ".join(f'"models/{{model}}/{file}"' for file in SOURCES)
    return f"""MODELS = {list(names)!r}
PRECISIONS = {PRECISIONS!r}

rule all:
    input:
        expand("build/{{m}}/{{p}}/{{m}}.xml", m=MODELS, p=PRECISIONS),
        expand("build/{{m}}/{{p}}/{{m}}.bin", m=MODELS, p=PRECISIONS),

rule copy:
    input: {read}
    output: "build/{{model}}/{{precision}}/{{model}}.xml", "build/{{model}}/{{precision}}/{{model}}.bin"
    shell: "cat {{input}} | tee {{output}} > /dev/null"
"""


def _ovmake(names: Sequence[str]) -> str:
    head = (
        "[defaults]\n"
        f"precisions = {json.dumps(PRECISIONS)}\n"
        "accuracy = false                 # the peers compare nothing either\n"
        "int8-weights.speed-check = false # nor do they measure\n"
    )
    return head + "".join(f'\n[models.{name}]\nsource = "models/{name}"\n' for name in names) + MARK


TOOLS = {
    "ninja": Tool(file="build.ninja", text=_ninja, command=("ninja",), idle="no work to do"),
    "make": Tool(file="Makefile", text=_make, command=("make", "-r"), idle="Nothing to be done"),
    "doit": Tool(file="dodo.py", text=_doit, command=("doit",), idle="-- copy:"),
    "snakemake": Tool(
        file="Snakefile",
        text=_snakemake,
        command=("snakemake", "--cores", "1"),
        idle="Nothing to be done",
        # On a loaded machine one core made 54 of 1,000 folders in 11 minutes, many jobs at once all in 9.
        first=("snakemake", "--cores", "300", "--scheduler", "greedy", "--rerun-incomplete"),
    ),
    "ovmake": Tool(file="Ovfile", text=_ovmake, command=("ovmake", "build"), idle="up to date"),
}
