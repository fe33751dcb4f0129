"""The scopes of a frozen graph as a tree, and the layers among them.

    tree = Tree(dataflow)
    tree.layers                     the layers: scopes, and ops outside of any layer's scope
    tree.find("block_1_expand")     the matching Scopes of the best kind; several mean an ambiguous name

A `Scope` is a scope or a single op. Its *words* are its path from the model down. A scope that an inlined call left
behind (`StatefulPartitionedCall`) is not a word.

A word has several spellings, the canonical one first. Keras 3 ends every layer's scope in `_1`, and that of its second
call in `_3`: layer `conv2d` is in scope `conv2d_1`, layer `conv2d_1` in `conv2d_1_1`, or in `conv2d_1_2` if `conv2d_1`
was taken first. So where all scopes in a scope end in numbers, and one number occurs with every name except names of
the last sort, the canonical spelling drops the number.

A scope *contains layers* when nearly all its ops are in inner scopes; else it is a layer. Scopes that TensorFlow
opens by itself (`moments`, `Tensordot`, and `Reshape/…` beside an op `Reshape`) are not layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ovmake.sources.dataflow import CALL_SCOPE, PLACEHOLDERS, Dataflow

# The depth of nested scopes: people write some ten, and a name of a megabyte may have half a million. A deeper op
# counts as an op outside of any scope.
DEEPEST = 100
_NUMBERED = re.compile(r"(.+)_(\d+)")
_TENSORFLOWS_OWN = re.compile(
    r"(assert\w*|batchnorm|Cast|cond|einsum|l2_normalize|moments|normalize_moments|ones|range|strided_slice"
    r"|TensorArray\w*|Tensordot|while|zeros)(_\d+)?",
)
# How well a name fits, the best first.
_LAYER, _SCOPE, _RAW_SCOPE, _OP, _RAW_OP = range(5)


@dataclass(slots=True, eq=False, kw_only=True)
class Scope:
    """A scope or an op. `ops` are the ops directly in the scope, or the op itself.

    `words` is its path, see `spellings`. `inputs` and `outputs` are the data tensors that enter and leave it, in the
    graph's order.
    """

    path: str
    raw: str
    parent: Scope | None = None
    is_op: bool = False
    canonical: str = ""
    is_layer: bool = False
    parts: int = 0  # layers in it
    words: tuple[Mapping[str, bool], ...] = ()
    ops: list[str] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)
    inputs: dict[str, None] = field(default_factory=dict)
    outputs: dict[str, None] = field(default_factory=dict)

    @property
    def is_call(self) -> bool:
        """Whether it was left behind by an inlined call."""
        return bool(CALL_SCOPE.fullmatch(self.raw))

    @property
    def lineage(self) -> list[Scope]:
        """The scopes around it from the outermost inwards, and itself; without the graph."""
        found: list[Scope] = []
        place: Scope | None = self
        while place is not None and place.parent is not None:
            found.append(place)
            place = place.parent
        return found[::-1]

    @property
    def spellings(self) -> dict[str, bool]:
        """Each spelling of its own word, and whether it is raw although a canonical one exists."""
        if self.canonical:
            return {self.canonical: False, self.raw: True}
        numbered = _NUMBERED.fullmatch(self.raw)
        lonely = self.parent is not None and not self.is_op and len(_inner(self.parent)) == 1
        return {self.raw: False, numbered[1]: False} if numbered and lonely else {self.raw: False}

    def all_ops(self) -> Iterator[str]:
        """Yield every op in it, at any depth."""
        yield from self.ops
        for scope in self.scopes.values():
            yield from scope.all_ops()

    def all_scopes(self) -> Iterator[Scope]:
        """Yield the scopes in it, at any depth, outer ones first."""
        for scope in self.scopes.values():
            yield scope
            yield from scope.all_scopes()


class Tree:
    """The scopes of a graph. `home` is the innermost scope of an op."""

    def __init__(self, dataflow: Dataflow) -> None:
        names = [name for name in dataflow.order if dataflow.computes(name)]
        self._inputs = {name for name in names if dataflow.ops[name].type in PLACEHOLDERS}
        self.root = Scope(path="", raw="")
        for name in names:
            if name.count("/") <= DEEPEST:
                self._make(name.rpartition("/")[0])
        scopes = {scope.path: scope for scope in self.root.all_scopes()}
        # An op belongs to the scope of its own name, if there is one: `Reshape` with `Reshape/shape`.
        self.home = {name: scopes.get(name) or scopes.get(name.rpartition("/")[0], self.root) for name in names}
        for name, home in self.home.items():
            home.ops.append(name)
        for scope in [self.root, *scopes.values()]:
            _name_inner(scope)
        self.ops = {name: _op_place(name, home) for name, home in self.home.items()}
        self.by_path = {**self.ops, **scopes}
        self._depth = 0  # the number of words of the outermost model
        self.layers = self._layers(self.root, outermost=True)
        self._by_last: dict[str, list[Scope]] = {}
        for place in [*scopes.values(), *self.ops.values()]:
            outer = place.parent.words if place.parent is not None else ()
            place.words = outer if place.is_call else (*outer, place.spellings)
            for spelling in place.spellings:
                self._by_last.setdefault(spelling, []).append(place)

    def find(self, name: str) -> list[Scope]:
        """Return the scopes whose path ends in `name`, of the best kind only.

        A layer by its canonical name goes before a scope, a scope before an op, a canonical name before a raw one.
        Within a kind, the outermost model goes before models inside of it, as with `get_layer`.
        """
        words = [word for word in name.split("/") if not CALL_SCOPE.fullmatch(word)]
        found: dict[tuple[int, bool], list[Scope]] = {}
        for place in self._by_last.get(words[-1], ()) if words else ():
            rank = self._rank(place, words)
            if rank is not None:
                found.setdefault(rank, []).append(place)
        return found[min(found)] if found else []

    def _rank(self, place: Scope, words: Sequence[str]) -> tuple[int, bool] | None:
        own = place.words
        if len(words) > len(own):
            return None
        raw = False
        for word, spellings in zip(reversed(words), reversed(own), strict=False):
            if word not in spellings:
                return None
            raw = raw or spellings[word]
        kind = _OP if place.is_op and not place.is_layer else _SCOPE
        inside = len(own) - len(words) > self._depth
        return (_LAYER if place.is_layer and not raw else kind + raw), inside

    def _make(self, path: str) -> None:
        place = self.root
        for word in path.split("/") if path else ():
            if word not in place.scopes:
                below = f"{place.path}/{word}" if place.path else word
                place.scopes[word] = Scope(path=below, raw=word, parent=place)
            place = place.scopes[word]

    def _layers(self, scope: Scope, *, outermost: bool) -> list[Scope]:
        """Return the layers in a scope that contains layers, at any depth."""
        found: list[Scope] = []
        # A single scope at the top is the model itself.
        lone = outermost and len(_inner(scope)) == 1 and not set(_loose(scope)) - self._inputs
        for unit in [*_inner(scope), *_loose_scopes(scope)]:
            holds = _is_unit(unit) and _holds_layers(unit, outermost=lone)
            if lone and holds:
                self._depth += 1
            else:
                unit.is_layer = True
                found.append(unit)
            if holds:
                inside = self._layers(unit, outermost=lone)
                unit.parts = len(inside)
                found += inside
        for name in _loose(scope):
            if name != scope.path:
                self.ops[name].is_layer = True
                found.append(self.ops[name])
        return found


def _op_place(name: str, home: Scope) -> Scope:
    raw = name.rpartition("/")[2]
    parent = home.parent if home.path == name else home
    return Scope(path=name, raw=raw, parent=parent, is_op=True, ops=[name])


def _is_unit(scope: Scope) -> bool:
    """Whether a scope may be a layer: TensorFlow did not open it by itself."""
    return not _TENSORFLOWS_OWN.fullmatch(scope.raw) and scope.path not in scope.ops


def _inner(scope: Scope) -> list[Scope]:
    """Return the scopes in a scope that may be layers, ignoring calls."""
    found: list[Scope] = []
    for inner in scope.scopes.values():
        found += _inner(inner) if inner.is_call else [inner] * _is_unit(inner)
    return found


def _loose_scopes(scope: Scope) -> list[Scope]:
    found: list[Scope] = []
    for inner in scope.scopes.values():
        found += _loose_scopes(inner) if inner.is_call else [inner] * (not _is_unit(inner))
    return found


def _loose(scope: Scope) -> list[str]:
    """Return the ops in a scope but in none of its inner scopes, ignoring calls."""
    found = list(scope.ops)
    for inner in scope.scopes.values():
        found += _loose(inner) if inner.is_call else []
    return found


def _holds_layers(scope: Scope, *, outermost: bool) -> bool:
    inner = _inner(scope)
    loose = len(_loose(scope)) + len(_loose_scopes(scope))
    if any(place.canonical for place in inner):
        return True
    if outermost:
        return len(inner) > 1 or (len(inner) == 1 and not loose)
    return len(inner) > 1 and 2 * loose <= len(inner)


def _name_inner(scope: Scope) -> None:
    """Give the inner scopes of a scope their canonical names, if they all carry Keras 3's number."""
    inner = _inner(scope)
    matches = [_NUMBERED.fullmatch(place.raw) for place in inner]
    numbers: dict[str, set[str]] = {}
    for match in matches:
        if match is None:
            return
        numbers.setdefault(match[1], set()).add(match[2])
    taken = {place.raw for place in inner}
    plain = [found for name, found in numbers.items() if name not in taken]
    if len(numbers) > 1 and plain and set.intersection(*plain):
        for place, match in zip(inner, matches, strict=True):
            place.canonical = match[1] if match else ""
