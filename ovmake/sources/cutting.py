"""What the Ovfile's `cut` means for one graph: tensors, and the names that the IR's inputs and outputs get.

    cut_of(layers, cut) -> Cut
    whole(inputs, outputs) -> Cut

An input goes by the word that the Ovfile cuts at, a tensor `x:0` by `x`; where a word means several tensors, by
`word.0`, `word.1`, … An input or output of the source that the cut leaves keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ovmake.contracts.params.model import CutParams
from ovmake.errors import ActionError
from ovmake.sources.layers import Layers

# (name, tensor), in the order that the IR has
Ends = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The tensors between which a model lies. `originals` are the names among its inputs that the source has too."""

    inputs: Ends
    outputs: Ends
    originals: frozenset[str] = field(default_factory=frozenset)

    @property
    def tensors(self) -> dict[str, str]:
        """The tensor of each name; an input's, where an output has the same name."""
        return dict((*self.outputs, *self.inputs))

    @property
    def given(self) -> dict[str, str]:
        """The tensor of each output's name."""
        return dict(self.outputs)

    def spelt(self, spelling: Mapping[str, str]) -> Cut:
        """Return the cut with tensors as the file spells them."""
        return replace(
            self,
            inputs=tuple((name, spelling.get(tensor, tensor)) for name, tensor in self.inputs),
            outputs=tuple((name, spelling.get(tensor, tensor)) for name, tensor in self.outputs),
        )


def whole(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Cut:
    """Return the cut that takes nothing away: names to tensors."""
    return Cut(inputs=tuple(inputs.items()), outputs=tuple(outputs.items()), originals=frozenset(inputs))


def cut_of(layers: Layers, asked: CutParams) -> Cut:
    """Return the cut that is asked for.

    Raises:
        ActionError: a name means nothing or too much, or the cut leaves an input dangling.
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
        raise ActionError("duplicate-layer", f"`{twice}` stands twice among the cut's tensors", setting=setting)
