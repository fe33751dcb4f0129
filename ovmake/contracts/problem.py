"""What is wrong with an action, or with what it made: the words of a diagnostic, before anybody knows where it points.

A failure is one; a success may carry some as warnings, in its facts.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.values import Facts, JsonValue

WARNINGS = "warnings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProblem:
    """What is wrong. `setting` names the setting or the input role that the diagnostic points at."""

    code: str
    message: str
    notes: tuple[str, ...] = ()
    help: str = ""
    setting: str = ""

    @staticmethod
    def as_facts(*complaints: ActionProblem) -> dict[str, JsonValue]:
        """Return facts of a success: its warnings. Kept with the trace, they are said again after a restore."""
        told = tuple((one.code, one.message, one.notes, one.help, one.setting) for one in complaints)
        return {WARNINGS: told} if told else {}

    @classmethod
    def of_facts(cls, facts: Facts) -> tuple[ActionProblem, ...]:
        """Return the warnings among a success's facts."""
        told = facts.get(WARNINGS)
        return tuple(map(cls._of_fact, told)) if isinstance(told, tuple) else ()

    @classmethod
    def _of_fact(cls, told: JsonValue) -> ActionProblem:
        match told:
            case (str(code), str(message), tuple(notes), str(hint), str(setting)):
                return cls(code=code, message=message, notes=tuple(map(str, notes)), help=hint, setting=setting)
        raise TypeError(f"no warning: {told}")
