"""Build damaged models beside their sound siblings, and ask TensorFlow about all that was published.

    fuzz(folder, count=40, seed=7) -> Report

The siblings are built first, in the same repo, so that whatever can be reused of them lies there. Most models are
compared over a dataset, where a reference is shared by fingerprint, the others on seeded inputs.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests import warm
from tests.e2e.conftest import Repo
from tests.fuzz.damage import damaged

HERE = Path(__file__).parent
# Kind -> what of its folder is the source; how often it is taken: those that share by fingerprint more than others.
SOURCES = {
    "tf2": ("", 4),
    "tf1": ("", 3),
    "frozen": ("model.pb", 3),
    "keras": ("model.keras", 1),
    "h5": ("model.h5", 1),
    "lite": ("model.tflite", 1),
    "checkpoint": ("model.meta", 2),
}
# Of no kind's content, but of what a SavedModel's writer puts beside it.
NEVER = {"fingerprint.pb", "checkpoint"}
# The gate allows 1e-4 of the scale on the inputs that it has seen; these are others.
ALLOWED = 1e-3
HEAD = """\
limits = { minutes = 0.3, memory = "6 GB" }

[defaults]
precisions = ["fp32"]

[datasets.val]
path = "val.npz"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """A damaged model."""

    name: str
    kind: str
    scored: bool
    how: str

    @property
    def source(self) -> str:
        """Its path in the repo."""
        return "/".join(filter(None, [f"models/{self.name}", SOURCES[self.kind][0]]))

    @property
    def table(self) -> str:
        """What the Ovfile says of it."""
        return f'\n[models.{self.name}]\nsource = "{self.source}"\n' + 'accuracy.dataset = "val"\n' * self.scored


@dataclass(slots=True)
class Report:
    """What became of all of them: `refused`; published and `right`; and `wrong`, which must not be.

    `not-measured`: published without a gate that passed, as the record says. TensorFlow loads it and cannot run it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[tuple[str, str]] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def note(self, victim: Victim, what: str, why: str = "") -> None:
        """Count one."""
        self.counts[what] += 1
        self.by_kind[victim.kind, what] += 1
        if what == "not-measured":
            self.say(victim, f"not measured: {why}")
        if what.startswith("wrong"):
            self.wrong.append(f"{victim.name} ({victim.how}): {what}: {why}")

    def say(self, victim: Victim, words: str) -> None:
        """Note what was said of one."""
        self.messages.append(f"{victim.name} ({victim.how}): {words}")

    def add(self, other: Report) -> None:
        """Count another's."""
        self.counts += other.counts
        self.by_kind += other.by_kind
        self.codes += other.codes
        self.wrong += other.wrong
        self.messages += other.messages


def sound(folder: Path) -> None:
    """Make the sound models."""
    done = warm.run([str(HERE / "sound.py"), str(folder)], by="tensorflow")
    assert done.returncode == 0, done.stderr


def fuzz(models: Path, folder: Path, *, count: int, seed: int) -> Report:
    """Damage so many, build them in `folder`, and find out what was published. `models` are the sound ones."""
    random = Random(seed)  # noqa: S311
    folder.mkdir(parents=True)
    siblings = [Victim(name=f"sound-{kind}{'-scored' * scored}", kind=kind, scored=scored, how="nothing")
                for kind in SOURCES for scored in (True, False)]  # fmt: skip
    victims = [_victim(models, folder, random, number) for number in range(count)]
    for one in siblings:
        shutil.copytree(models / one.kind, folder / "models" / one.name)
    shutil.copy(models / "val.npz", folder / "val.npz")
    (folder / "Ovfile").write_text(HEAD + "".join(one.table for one in [*siblings, *victims]))
    repo = Repo(folder=folder)
    built = repo.build("--timeout", "5", *(one.name for one in siblings))
    assert {"built"} == set(built.targets.values()), built.stdout + built.stderr
    report = Report()
    _judge(repo, victims, report)
    again = repo.build(*(one.name for one in siblings))
    assert {"fresh"} == set(again.targets.values()), again.stdout
    return report


def _victim(models: Path, folder: Path, random: Random, number: int) -> Victim:
    kinds = [kind for kind, (_, weight) in SOURCES.items() for _ in range(weight)]
    kind = random.choice(kinds)
    home = folder / "models" / f"m{number}"
    shutil.copytree(models / kind, home)
    files = sorted(path for path in home.rglob("*") if path.is_file() and path.name not in NEVER)
    how = damaged(random.choice(files), random)
    return Victim(name=home.name, kind=kind, scored=random.random() < 0.6, how=f"{kind} {how}")


def _judge(repo: Repo, victims: list[Victim], report: Report) -> None:
    result = repo.ovmake("build", "-k", "--json", *(one.name for one in victims))
    (repo.folder / "said.txt").write_text(result.stdout + result.stderr)
    assert result.status in {0, 1}, result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    ended = {event["target"]: event for event in result.events if event["event"] == "target-finished"}
    told = {
        event["target"].partition(":")[0]: event["diagnostic"] for event in result.events if event.get("diagnostic")
    }
    published = []
    for one in victims:
        if ended[f"{one.name}:fp32"]["status"] == "built":
            published.append(one)
            continue
        report.note(one, "refused")
        if one.name in told:
            report.codes[told[one.name]["code"]] += 1
            report.say(one, told[one.name]["message"])
    _ask(repo, published, report)


def _ask(repo: Repo, published: list[Victim], report: Report) -> None:
    """Run what was published, and have TensorFlow load its source and run it on the same, each in a new process."""
    irs = [repo.folder / f"build/{one.name}/fp32/{one.name}.xml" for one in published]
    ran = warm.run([str(HERE / "published.py")], by="openvino", stdin="\n".join(map(str, irs)))
    assert ran.returncode == 0, ran.stderr
    for one, path, failed in zip(published, irs, ran.stdout.splitlines(), strict=True):
        words = [one.kind, str(repo.folder / one.source), str(path.with_suffix(".npz"))]
        done = warm.run([str(HERE / "oracle.py"), *words], by="tensorflow")
        gate = repo.record(one.name)["gate"]
        if failed and gate["result"] == "passed":
            report.note(one, "wrong: does not run", failed)
        else:
            report.note(one, *_verdict(done.stdout.splitlines(), done.stderr.splitlines(), gate))


def _verdict(said: list[str], failed: list[str], gate: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a published model is, by what TensorFlow said of it, and why."""
    if said[:1] != ["loads"]:
        return "wrong: not loadable", (failed or ["it died"])[-1]
    if gate["result"] != "passed":
        return "not-measured", gate["text"]
    if not said[-1].startswith("apart "):
        return "wrong: TensorFlow cannot run it", (failed or ["it died"])[-1]
    if float(said[-1].removeprefix("apart ")) > ALLOWED:
        return "wrong: computes something else", said[-1]
    return "right", ""


def written(report: Report) -> str:
    """Return the report as JSON."""
    kinds = {f"{kind} {what}": number for (kind, what), number in sorted(report.by_kind.items())}
    body = {
        "counts": dict(report.counts),
        "by_kind": kinds,
        "codes": dict(report.codes.most_common()),
        "wrong": report.wrong,
    }
    return json.dumps(body, indent=1)
