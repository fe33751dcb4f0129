"""The params of a source: its kind, its signature, and the operations that it may run."""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.params.declared import Declared

DEFAULT_KIND = "saved-model"
DEFAULT_SIGNATURE = "serving_default"
DEFAULT_TAGS = ("serve",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParams(Declared):
    """A source: its kind, the signature and tags of a SavedModel, and the operations that the Ovfile allows.

    TensorFlow's side reads shapes, cuts and preprocessing from the interface that *convert* writes. For a graph that
    *freeze* made, only `allow_ops` is used.
    """

    kind: str = DEFAULT_KIND
    signature: str = DEFAULT_SIGNATURE
    tags: tuple[str, ...] = DEFAULT_TAGS
    allow_ops: tuple[str, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """The operations with side effects that the source may run."""
        return frozenset(self.allow_ops)

    @property
    def chosen_signature(self) -> str | None:
        """The signature that the Ovfile chose, None if it is the default one."""
        return None if self.signature == DEFAULT_SIGNATURE else self.signature
