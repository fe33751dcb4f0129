"""Render the page as one HTML file that opens offline: no font, no image, no request, and one inline script.

    to_html(page) -> str

The templates contain layout only: every figure and its text come from `tables` and `words`. Jinja's autoescape escapes
all text from users (names, paths, messages). The page's content security policy allows no load and one script, by its
digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovmake.commands.report import words
from ovmake.commands.report.render.charts import charts_of, draw
from ovmake.commands.report.tables import Page, Section

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.j2"
SCRIPT = "script.js"


def to_html(page: Page) -> str:
    """Return the report as an HTML document."""
    from markupsafe import Markup  # noqa: PLC0415

    script = (Path(__file__).parent / "templates" / SCRIPT).read_text()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    def drawn(section: Section) -> list[dict[str, object]]:
        plain = ("title", "caption", "description")
        # Vega escapes its data.
        return [
            {**{name: getattr(chart, name) for name in plain}, "svg": Markup(draw(chart))}  # noqa: S704
            for chart in charts_of(section)
        ]

    return (
        _template().render(
            page=page,
            draw=drawn,
            script=Markup(script),  # noqa: S704 - a file of ovmake
            script_digest=f"sha256-{digest}",
        )
        + "\n"
    )


@cache
def _template() -> Template:
    """Return the page's template, compiled once per process."""
    # Imported here: a build does not need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("ovmake.commands.report.render"),
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
        "times": words.times,
        "ratio": words.ratio,
        "rate": words.rate,
        "time": lambda us: words.duration(us, words.unit_for(us)),
        "doubts": words.doubts,
        "code": lambda text: _with_code(Markup, text),
    }
    return environment.get_template(TEMPLATE)


def _with_code(markup: type[Any], text: str) -> Any:
    """Return a sentence with the text between backticks as code; all of it is escaped."""
    parts = [markup.escape(part) for part in text.split("`")]
    marked = [markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)]
    return markup("").join(marked)


def _option(value: object) -> str:
    """Return an option's value as JSON."""
    return json.dumps(value, ensure_ascii=False)
