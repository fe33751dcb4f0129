"""ActionError: an expected failure of a worker or of a reader of a source. And the text of exceptions.

Both sides of the process border import this, and all readers of files. It imports the standard library only.
"""

from __future__ import annotations


class ActionError(Exception):
    """An expected failure of an action.

    `setting` names the setting of the Ovfile that the error is about ("inputs.image.mean"), or an input's role.
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
    """Return an exception's message in one line; its type if the message is empty, or reading it fails."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a user's exception may do anything
        words = ""
    return words or type(error).__name__


def kind_and_message_of(error: BaseException) -> str:
    """Return an exception's type, and its message if it has one: "SystemExit: 3", "KeyboardInterrupt"."""
    kind, words = type(error).__name__, message_of(error)
    return kind if words == kind else f"{kind}: {words}"
