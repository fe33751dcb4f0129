"""What an edit of an Ovfile can have changed, without asking what it means.

    edited_models(before, after) -> frozenset[str] | None

Of a thousand models an edit mostly concerns one, and what the others say need not be worked out again.
"""

from __future__ import annotations

import tomli

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.text.limits import check_text

MODELS = "models"


def edited_models(before: str, after: str) -> frozenset[str] | None:
    """Return the models whose tables differ, new ones included; None if anything else does, or `after` is no TOML."""
    try:
        check_text(after, "Ovfile")
        old, new = tomli.loads(before), tomli.loads(after)
    except (OvmakeError, ValueError, RecursionError):
        return None
    old_models, new_models = old.pop(MODELS, {}), new.pop(MODELS, {})
    # By their text: 1 == True == 1.0 in Python, and they are different settings.
    if repr(old) != repr(new) or not isinstance(old_models, dict) or not isinstance(new_models, dict):
        return None
    return frozenset(
        name for name, said in new_models.items() if name not in old_models or repr(old_models[name]) != repr(said)
    )
