"""Resolve the Ovfile's `cut` in one graph: to tensors, and to names for the IR's inputs and outputs.

    cut_of(layers, cut) -> Cut
    whole(inputs, outputs) -> Cut

An input is named after the word in the Ovfile; a tensor `x:0` is named `x`. A word that means several tensors gives
the names `word.0`, `word.1`, … An input or output of the source that remains after the cut keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ovmake.contracts.params.model import CutParams
from ovmake.errors import ActionError
from ovmake.sources.layers import Layers

# (name, tensor), in the IR's order
Ends = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The tensors where a model begins and ends. `originals` are those input names that the source has too."""

    inputs: Ends
    outputs: Ends
    originals: frozenset[str] = field(default_factory=frozenset)

    @property
    def tensors(self) -> dict[str, str]:
        """Name -> tensor; where an input and an output share a name, the input's."""
        return dict((*self.outputs, *self.inputs))

    @property
    def given(self) -> dict[str, str]:
        """Output name -> tensor."""
        return dict(self.outputs)

    def spelt(self, spelling: Mapping[str, str]) -> Cut:
        """Return the same cut with the file's own spelling of the tensors."""
        return replace(
            self,
            inputs=tuple((name, spelling.get(tensor, tensor)) for name, tensor in self.inputs),
            outputs=tuple((name, spelling.get(tensor, tensor)) for name, tensor in self.outputs),
        )


def whole(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Cut:
    """Return the cut that keeps the whole model. Both arguments map names to tensors."""
    return Cut(inputs=tuple(inputs.items()), outputs=tuple(outputs.items()), originals=frozenset(inputs))


def cut_of(layers: Layers, asked: CutParams) -> Cut:
    """Return the cut that is asked for.

    Raises:
        ActionError: a name is unknown or ambiguous, or an input is still needed around the cut.
    """
    starts, ends = list(asked.inputs), list(asked.outputs)
    left = layers.check_cut(starts, ends)
    named: dict[str, str] = {}
    for word in starts:
        tensors = layers.inputs(word)
        for place, tensor in enumerate(tensors):
            named.setdefault(tensor, _user_name(word) if len(tensors) == 1 else f"{word}.{place}")
    originals = {tensor: name for name, tensor in layers.model_inputs.items()}
    inputs = tuple((named.get(tensor) or originals.get(tensor, tensor), tensor) for tensor in left.inputs)
    outputs = (
        tuple((_user_name(word), layers.output(word)) for word in ends) if ends else tuple(layers.model_outputs.items())
    )
    _check_names(inputs, "cut.inputs")
    _check_names(outputs, "cut.outputs")
    kept = frozenset(name for name, tensor in inputs if tensor in originals)
    return Cut(inputs=inputs, outputs=outputs, originals=kept)


def _user_name(word: str) -> str:
    return word.removesuffix(":0")


def _check_names(ends: Ends, setting: str) -> None:
    names = [name for name, _ in ends]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise ActionError("duplicate-layer", f"the cut lists the tensor `{twice}` twice", setting=setting)
