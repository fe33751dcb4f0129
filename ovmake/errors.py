"""A failure that a worker, or a reader of a source, understands; and an exception's own words.

Both sides of the process border import this, and every reader of a file: standard library only, and nothing of ours.
"""

from __future__ import annotations


class ActionError(Exception):
    """A failure that the worker understands.

    `setting` names the setting of the Ovfile that it points at ("inputs.image.mean"), or an input's role.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        help: str = "",  # noqa: A002 - the field's name everywhere else
        notes: tuple[str, ...] = (),
        setting: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.notes = notes
        self.setting = setting


def message_of(error: BaseException) -> str:
    """Return an exception's own words in one line; its type where it has none, or fails to say them."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a user's exception may do anything
        words = ""
    return words or type(error).__name__


def kind_and_message_of(error: BaseException) -> str:
    """Return an exception's type and its own words, if it has any: "SystemExit: 3", "KeyboardInterrupt"."""
    kind, words = type(error).__name__, message_of(error)
    return kind if words == kind else f"{kind}: {words}"
