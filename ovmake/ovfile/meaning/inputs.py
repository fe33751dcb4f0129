"""Read the tables of a model's inputs and outputs, and check which of their keys go together.

    input_of(own, name, problems) -> Input
    outputs_of(own, problems) -> ((name in the source, new name), ...)

*convert* checks what needs the model itself: whether it has such an input, of that rank.
"""

from __future__ import annotations

from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems, toml
from ovmake.ovfile.schema.inputs import Input

# Keys without effect on a frozen input, which is never fed.
PREPARATION = ("layout", "type", "resize", "reverse-channels", "mean", "scale")


def input_of(own: Settings, name: str, problems: Problems) -> Input:
    """Return the settings of one input, and report keys that contradict each other."""
    tensor = read(Input, own, "inputs", name, name=name)
    _check_channels(own, tensor, problems)
    _check_layouts(own, tensor, problems)
    _check_frozen(own, tensor, problems)
    return tensor


def outputs_of(own: Settings, problems: Problems) -> tuple[tuple[str, str], ...]:
    """Return the renamed outputs, and report two with the same new name."""
    renamed = {name: own.text("outputs", name, default="") for name in own.names("outputs")}
    first: dict[str, str] = {}
    for name, new in renamed.items():
        if new in first:
            problems.add(
                Problem(
                    code="duplicate-output",
                    at=own.origins[f"outputs.{name}"],
                    message=f"outputs `{first[new]}` and `{name}` would both be named `{new}`",
                    also=Also(at=own.origins[f"outputs.{first[new]}"], text="the first one"),
                    help="give each output its own name",
                )
            )
        first.setdefault(new, name)
    return tuple(renamed.items())


def _check_channels(own: Settings, tensor: Input, problems: Problems) -> None:
    mean, scale = tensor.mean, tensor.scale
    if mean and scale and len(mean) != len(scale) and 1 not in (len(mean), len(scale)):
        problems.add(
            Problem(
                code="channel-mismatch",
                at=own.origins[f"inputs.{tensor.name}.scale"],
                message=f"input `{tensor.name}` has a `mean` for {len(mean)} channels and a `scale` for {len(scale)}",
                also=Also(at=own.origins[f"inputs.{tensor.name}.mean"], text=f"{len(mean)} channels"),
                label=f"{len(scale)} channels",
            )
        )


def _check_layouts(own: Settings, tensor: Input, problems: Problems) -> None:
    """Report layouts with different dimensions, and `resize` without a known height and width."""
    layout, model = tensor.layout, tensor.model_layout
    if layout and model and sorted(layout) != sorted(model):
        problems.add(
            Problem(
                code="layout-mismatch",
                at=own.origins[f"inputs.{tensor.name}.layout"],
                message=f"`{layout}` does not have the dimensions of `{model}`, the source's layout of `{tensor.name}`",
                also=Also(at=own.origins[f"inputs.{tensor.name}.model-layout"], text=f"the source has `{model}`"),
                help=f"write the letters of {toml(model)} in any order",
            )
        )
    known = layout or model
    if tensor.resize and known and not {"H", "W"} <= set(known):
        problems.add(
            Problem(
                code="layout-mismatch",
                at=own.origins[f"inputs.{tensor.name}.resize"],
                message=f"`resize` changes height and width, and `{known}` has no H and W",
                also=Also(
                    at=own.origins[f"inputs.{tensor.name}.{'layout' if layout else 'model-layout'}"], text="here"
                ),
                help="use a layout with H and W, such as `NHWC`",
            )
        )


def _check_frozen(own: Settings, tensor: Input, problems: Problems) -> None:
    """Report keys about the preprocessing of a frozen input, which is never fed."""
    if tensor.value is None:
        return
    for key in PREPARATION:
        place = own.origin("inputs", tensor.name, key)
        if place and own.get("inputs", tensor.name, key) is not False:
            problems.add(
                Problem(
                    code="frozen-input",
                    at=place,
                    on="key",
                    message=f"input `{tensor.name}` is frozen to a constant, so `{key}` has no effect",
                    also=Also(at=own.origins[f"inputs.{tensor.name}.value"], text="frozen here"),
                    help="remove one of the two",
                )
            )
