"""Find the models that an edit of an Ovfile changes, without interpreting it.

    edited_models(before, after) -> frozenset[str] | None

Most edits change one model of a thousand, so the tables of the other models need not be interpreted again.
"""

from __future__ import annotations

import tomli

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.text.limits import check_text

MODELS = "models"


def edited_models(before: str, after: str) -> frozenset[str] | None:
    """Return the models whose tables differ or are new; None if anything else differs or `after` is no TOML."""
    try:
        check_text(after, "Ovfile")
        old, new = tomli.loads(before), tomli.loads(after)
    except (OvmakeError, ValueError, RecursionError):
        return None
    old_models, new_models = old.pop(MODELS, {}), new.pop(MODELS, {})
    # Compared as text: 1 == True == 1.0 in Python, but these are different settings.
    if repr(old) != repr(new) or not isinstance(old_models, dict) or not isinstance(new_models, dict):
        return None
    return frozenset(
        name for name, said in new_models.items() if name not in old_models or repr(old_models[name]) != repr(said)
    )
