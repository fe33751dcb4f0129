"""A cold build of ten real models in fp32 and fp16: ovmake beside a shell script that calls `ovc` for each.

    python tests/benchmarks/cold.py [--rounds 3] [--only NAME,...] [--scratch DIR] [--bin DIR]
                                    [--same-work]

Needs the models of examples/zoo: `python examples/zoo/fetch.py` first. Taken are those that `ovc` can read by itself,
so that both do the same work: 20 IRs out of 10 sources, seven of them SavedModels or frozen graphs and three .tflite.
`ovc` and `ovmake` are those of DIR, by default beside the Python that runs this, ovmake with this checkout's code.
`ovc`'s telemetry is off, as it is in ovmake.

Prints Markdown, from rounds in which each takes its turn, with nothing kept from the round before:

    ovc                  20 calls, one after another, as in a script that one would write
    ovmake               `accuracy = false`: the same work, convert and write
    ovmake -j 1          the same with one worker
    ovmake, verified     the default gate: every IR is run and compared with TensorFlow, which ovc does not do

Last it says how far the sizes of the .bin files are apart, to show that the same was made.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import (  # noqa: E402
    Runs,
    Spent,
    cpu,
    in_turns,
    machine,
    ms,
    ratio,
    say,
    spent,
    table,
    wall,
    with_bytecode,
)

ZOO = ROOT / "examples/zoo/models"
MODELS = {
    "mobilenet-v2": "keras/mobilenet_v2",
    "esrgan": "esrgan/x2",
    "mtcnn-pnet": "mtcnn/pnet",
    "mtcnn-rnet": "mtcnn/rnet",
    "mtcnn-onet": "mtcnn/onet",
    "mtcnn-onet-frozen": "mtcnn/onet.pb",
    "basic-pitch": "basic_pitch/nmp",
    "fer-lite": "fer/emotion_model_quantized.tflite",
    "cifar-resnet-lite": "mltk/image_classification.tflite",
    "visual-wake-words-lite": "mltk/visual_wake_words.tflite",
}
PRECISIONS = {"fp32": "False", "fp16": "True"}  # and what ovc's --compress_to_fp16 says
# As in examples/zoo: an audio model is compared on sound, and FP16 costs this one much.
SOUND = """
[datasets.sound]
path = "models/basic_pitch/chords.npz"
inputs = { input_2 = "sound" }
"""
HEARD = 'accuracy.dataset = "sound"\nfp16.accuracy.agreement.cosine = 0.995\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where things are."""

    scratch: Path
    programs: Path
    names: tuple[str, ...]

    @property
    def environment(self) -> Mapping[str, str]:
        """This checkout's ovmake, and a home in which nobody has agreed to be counted."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return {**with_bytecode(), "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(self.scratch / "home")}

    def folder(self, variant: str) -> Path:
        """Return the folder in which a variant builds."""
        return self.scratch / variant


def ovfile(names: Sequence[str], *, verified: bool) -> str:
    """Return the Ovfile: two lines a model."""
    head = f'[defaults]\nprecisions = ["fp32", "fp16"]\n{"" if verified else "accuracy = false"}\n'
    heard = {name: HEARD if verified and name == "basic-pitch" else "" for name in names}
    sound = SOUND if any(heard.values()) else ""
    return (
        head + sound + "".join(f'\n[models.{name}]\nsource = "models/{MODELS[name]}"\n{heard[name]}' for name in names)
    )


def script(names: Sequence[str]) -> str:
    """Return the shell script of `ovc` calls."""
    calls = [
        f"ovc models/{shlex.quote(MODELS[name])} --output_model build/{name}/{precision}/{name}.xml"
        f" --compress_to_fp16={compressed}"
        for name in names
        for precision, compressed in PRECISIONS.items()
    ]
    return "\n".join(["set -e", *calls, ""])


def prepare(bench: Bench) -> None:
    """Make a folder per variant, each with the models."""
    missing = [path for name in bench.names if not (ZOO / (path := MODELS[name])).exists()]
    if missing:
        raise SystemExit(f"there is no {', '.join(missing)} in {ZOO}: run `python examples/zoo/fetch.py`")
    for variant, (name, text) in {
        "ovc": ("convert.sh", script(bench.names)),
        "plain": ("Ovfile", ovfile(bench.names, verified=False)),
        "verified": ("Ovfile", ovfile(bench.names, verified=True)),
    }.items():
        folder = bench.folder(variant)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
        for path in {MODELS[name] for name in bench.names} | {"basic_pitch/chords.npz"}:
            _copy(ZOO / path, folder / "models" / path)
    (bench.scratch / "home").mkdir(exist_ok=True)
    opt_out = [str(bench.programs / "opt_in_out"), "--opt_out"]
    subprocess.run(opt_out, env=bench.environment, check=False, capture_output=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def cold(bench: Bench, variant: str, *command: str) -> Spent:
    """Time one build that finds nothing done."""
    folder = bench.folder(variant)
    for left in ("build", ".ovmake"):
        shutil.rmtree(folder / left, ignore_errors=True)
    say(f"{variant}: {' '.join(command)}")
    program = shutil.which(command[0], path=bench.environment["PATH"]) or command[0]
    return spent([program, *command[1:]], folder, bench.environment)


def measure(bench: Bench, rounds: int, *, verified: bool) -> Runs:
    """Let all take turns."""
    subjects: dict[str, Callable[[], Spent]] = {
        "ovc": partial(cold, bench, "ovc", "sh", "convert.sh"),
        "ovmake": partial(cold, bench, "plain", "ovmake", "build"),
        "ovmake -j 1": partial(cold, bench, "plain", "ovmake", "build", "-j", "1"),
    }
    if verified:
        subjects["ovmake, verified"] = partial(cold, bench, "verified", "ovmake", "build")
    return in_turns(subjects, rounds)


def cold_table(runs: Runs, models: int) -> str:
    """Return the table of cold builds."""
    told = {
        "ovc": f"a script of {models * len(PRECISIONS)} `ovc` calls",
        "ovmake": "**`ovmake build`**, `accuracy = false`: the same work",
        "ovmake -j 1": "the same with `-j 1`",
        "ovmake, verified": "`ovmake build`, every IR compared with TensorFlow",
    }
    rows = [
        [told[name], ms(wall(found)), ms(cpu(found)), str(ratio(found, runs["ovc"]))] for name, found in runs.items()
    ]
    return table([f"{models} models in fp32 and fp16, cold", "wall", "CPU", "times ovc (range of rounds)"], rows)


def sizes(bench: Bench) -> str:
    """Return how many of the .bin files are of the size of ovc's, and how far the others are from it."""
    lines, equal = [], 0
    for name in bench.names:
        for precision in PRECISIONS:
            place = f"build/{name}/{precision}/{name}.bin"
            theirs, ours = ((bench.folder(variant) / place).stat().st_size for variant in ("ovc", "plain"))
            equal += theirs == ours
            if theirs != ours:
                lines.append(f"{name}:{precision} {ours} bytes, ovc {theirs}")
    return f".bin files of ovc's size: {equal} of {equal + len(lines)}" + "".join(f"\n    {line}" for line in lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(MODELS), help="some of the models")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "ovmake-cold")
    parser.add_argument("--same-work", action="store_true", help="leave out the build that compares with TensorFlow")
    parser.add_argument("--bin", type=Path, default=Path(sys.executable).parent)
    given = parser.parse_args()
    bench = Bench(scratch=given.scratch.resolve(), programs=given.bin.absolute(), names=tuple(given.only.split(",")))
    prepare(bench)
    runs = measure(bench, given.rounds, verified=not given.same_work)
    print(f"\n{cold_table(runs, len(bench.names))}\n\n{machine()}\n\n{sizes(bench)}")


if __name__ == "__main__":
    main()
