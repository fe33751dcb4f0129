"""What `auto` chooses from: the precisions, and whether they can be weighed against each other.

    candidate_names(auto, int8) -> tuple[str, ...]    precisions, the most accurate first
    check_alike(candidates, listed, problems)         they take the same inputs and give the same outputs

Every candidate is the target that it would be if it were listed itself, made from its own table.
"""

from __future__ import annotations

from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Problem, Problems, dotted
from ovmake.ovfile.schema.compression import Calibration
from ovmake.ovfile.schema.keys import Auto
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import AUTO, CANDIDATES, DEFAULT_CANDIDATES, KeyPath


def candidate_names(auto: Settings, int8: Settings) -> tuple[str, ...]:
    """Return the precisions to weigh. `auto` and `int8` are the settings of these precisions.

    Without a list, INT8 is weighed where there are samples to calibrate it on.
    """
    calibrated = bool(read(Calibration, int8).calibration)
    usual = tuple(name for name in DEFAULT_CANDIDATES if name != "int8" or calibrated)
    listed = read(Auto, auto).candidates or usual
    return tuple(name for name in CANDIDATES if name in listed)


def check_alike(candidates: tuple[Target, ...], listed: KeyPath | None, problems: Problems) -> None:
    """Report candidates whose speeds would not compare. `listed` is where the Ovfile lists them, if it does."""
    for other in candidates[1:]:
        one = candidates[0]
        if different := _differing(one, other):
            problems.add(
                Problem(
                    code="candidates-differ",
                    at=_said_at(different, one, other) or listed or one.at,
                    message=f"`{one.family}:{AUTO}` cannot weigh `{other.precision}` against `{one.precision}`: "
                    f"`{different}` is not the same for both",
                    label="speeds compare where the inputs and outputs are the same",
                    help=f"set it for all precisions alike, or name those to weigh: `candidates = [...]` in "
                    f"[{dotted((*one.at, AUTO))}]",
                )
            )


def _differing(one: Target, other: Target) -> str:
    """Return a setting that changes what an IR takes or gives and is not the same in both; "" if there is none."""
    settings = {
        "kind": (one.kind, other.kind),
        "signature": (one.signature, other.signature),
        "tags": (one.tags, other.tags),
        "allow-ops": (one.allow_ops, other.allow_ops),
        "batch": (one.batch, other.batch),
        "cut.inputs": (one.cut.inputs, other.cut.inputs),
        "cut.outputs": (one.cut.outputs, other.cut.outputs),
        "outputs": (one.outputs, other.outputs),
        "inputs": (one.inputs, other.inputs),
    }
    return next((name for name, (mine, theirs) in settings.items() if mine != theirs), "")


def _said_at(setting: str, one: Target, other: Target) -> KeyPath | None:
    """Return where the table of one of the two precisions says it."""
    places = [at for target in (other, one) for name, at in target.origins.items() if name.startswith(setting)]
    return next((at for at in places if {one.precision, other.precision} & set(at)), None)
