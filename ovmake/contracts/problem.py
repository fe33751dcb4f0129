"""The error of an action, or a warning about its result: a diagnostic without a position in the Ovfile.

A failure is one problem. The facts of a success may hold problems as warnings.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.values import Facts, JsonValue

WARNINGS = "warnings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProblem:
    """An error or a warning. `setting` names the setting or the input role that the diagnostic points at."""

    code: str
    message: str
    notes: tuple[str, ...] = ()
    help: str = ""
    setting: str = ""

    @staticmethod
    def as_facts(*complaints: ActionProblem) -> dict[str, JsonValue]:
        """Return warnings as facts of a success. The trace stores them, so that a restore repeats them."""
        told = tuple((one.code, one.message, one.notes, one.help, one.setting) for one in complaints)
        return {WARNINGS: told} if told else {}

    @classmethod
    def of_facts(cls, facts: Facts) -> tuple[ActionProblem, ...]:
        """Return the warnings in the facts of a success."""
        told = facts.get(WARNINGS)
        return tuple(map(cls._of_fact, told)) if isinstance(told, tuple) else ()

    @classmethod
    def _of_fact(cls, told: JsonValue) -> ActionProblem:
        match told:
            case (str(code), str(message), tuple(notes), str(hint), str(setting)):
                return cls(code=code, message=message, notes=tuple(map(str, notes)), help=hint, setting=setting)
        raise TypeError(f"not a warning: {told}")
