"""The page as one HTML file that opens offline: no script, no font, no image, no request.

    to_html(page) -> str

The templates decide how things look and nothing else: every figure comes with its words from `tables` and `words`.
Whatever a user wrote (names, paths, messages) is escaped by Jinja's autoescape, and the page's content security policy
allows no load.
"""

from __future__ import annotations

import json

from ovmake.report import words
from ovmake.report.tables import Page

TEMPLATE = "report.html.j2"


def to_html(page: Page) -> str:
    """Return the report as an HTML document."""
    # Only a report needs it; a build must not pay for it.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("ovmake.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "difference": words.difference,
        "cosine": words.cosine,
        "decibels": words.decibels,
        "part": words.part,
        "precision": words.precision,
        "size": words.size,
        "option": _option,
    }
    return environment.get_template(TEMPLATE).render(page=page) + "\n"


def _option(value: object) -> str:
    """Return an option's value as one would write it."""
    return json.dumps(value, ensure_ascii=False)
