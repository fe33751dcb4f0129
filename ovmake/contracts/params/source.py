"""Which function of a source is meant, and what it may run."""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.params.declared import Declared

DEFAULT_KIND = "saved-model"
DEFAULT_SIGNATURE = "serving_default"
DEFAULT_TAGS = ("serve",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParams(Declared):
    """A source: its kind, the signature and tags of a SavedModel, and the operations that it may run all the same.

    Shapes, cuts and preparation reach TensorFlow's side through the interface that *convert* writes. Of a graph that
    *freeze* made only `allow_ops` says something.
    """

    kind: str = DEFAULT_KIND
    signature: str = DEFAULT_SIGNATURE
    tags: tuple[str, ...] = DEFAULT_TAGS
    allow_ops: tuple[str, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """The operations that the source may run though they do more than compute."""
        return frozenset(self.allow_ops)

    @property
    def chosen_signature(self) -> str | None:
        """The signature that the Ovfile chose, None where it is the default one."""
        return None if self.signature == DEFAULT_SIGNATURE else self.signature
