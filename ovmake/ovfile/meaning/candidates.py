"""Choose the candidates of `auto`, and check that their speeds can be compared.

    candidate_names(auto, int8) -> tuple[str, ...]    precisions, the most accurate first
    check_comparable(candidates, listed, problems)         report different inputs or outputs

Each candidate is a target like those in `precisions`, with the settings of its own table.
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
    """Return the precisions to compare. `auto` and `int8` are the settings of these precisions.

    Without a list, INT8 is a candidate only if it has calibration samples.
    """
    calibrated = bool(read(Calibration, int8).calibration)
    usual = tuple(name for name in DEFAULT_CANDIDATES if name != "int8" or calibrated)
    listed = read(Auto, auto).candidates or usual
    return tuple(name for name in CANDIDATES if name in listed)


def check_comparable(candidates: tuple[Target, ...], listed: KeyPath | None, problems: Problems) -> None:
    """Report candidates whose speeds cannot be compared. `listed` is the key path of their list, if there is one."""
    for other in candidates[1:]:
        one = candidates[0]
        if different := _differing(one, other):
            problems.add(
                Problem(
                    code="candidates-differ",
                    at=_set_at(different, one, other) or listed or one.at,
                    message=f"`{one.family}:{AUTO}` cannot compare `{other.precision}` with `{one.precision}`: "
                    f"`{different}` differs",
                    label="candidates need the same inputs and outputs",
                    help=f"set it for all precisions, or list the candidates: `candidates = [...]` in "
                    f"[{dotted((*one.at, AUTO))}]",
                )
            )


def _differing(one: Target, other: Target) -> str:
    """Return a setting of inputs or outputs that differs between the two; "" if none differs."""
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


def _set_at(setting: str, one: Target, other: Target) -> KeyPath | None:
    """Return the key path of the setting in the table of one of the two precisions."""
    places = [at for target in (other, one) for name, at in target.origins.items() if name.startswith(setting)]
    return next((at for at in places if {one.precision, other.precision} & set(at)), None)
