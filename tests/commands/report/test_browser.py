"""The page in a real browser: opened from the disk, on a wide screen and on a phone, light and dark.

Chromium must be installed: `.ci/run` installs it. Without it the tests fail: a skipped test would hide that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ovmake.commands.report.render.html import to_html
from tests.commands.report.targets import EVERY_CASE, every_case
from tests.commands.report.test_twins import HOSTILE, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.heavy

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCREENS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
# WCAG 2.1, 1.4.3: the contrast of small text.
LEAST_CONTRAST = 4.5

CONTRASTS = """
() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((c) => linear(c / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const shown = [...document.body.querySelectorAll("*")].filter((one) => own(one) && one.getClientRects().length);
  return shown.map((one) => {
    const style = getComputedStyle(one);
    const colour = one.closest("svg") ? style.fill : style.color;
    const [light, dark] = [luminance(channels(colour)), luminance(behind(one))].sort((a, b) => b - a);
    return [(light + 0.05) / (dark + 0.05), one.textContent.trim().slice(0, 40)];
  });
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is not there: `apt-get install chromium`, as .ci/run does")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(to_html(every_case()))
    return path.as_uri()


class Opened:
    """An open page, with its requests and its complaints."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # Waiting for the network only is too early: on a busy machine the last rows were not parsed yet.
        page.goto(address, wait_until="load")
        page.wait_for_load_state("networkidle")


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]}-{screen[1]}")
def opened(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Opened]:
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Opened(page, address)
    page.close()


def test_it_opens_without_a_complaint_and_asks_for_nothing_else(opened: Opened, address: str) -> None:
    assert [] == opened.complaints
    assert [address] == [url for url in opened.requests if not url.startswith("data:")]


def test_every_target_is_in_the_tables(opened: Opened) -> None:
    names = opened.page.locator("table.comparison th[scope=rowgroup]").all_inner_texts()

    assert sorted(report.name for report in EVERY_CASE) == sorted(names)


def test_the_page_never_scrolls_sideways(opened: Opened) -> None:
    scrolled, shown = opened.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")

    assert scrolled <= shown


def test_open_lists_of_layers_do_not_make_it_scroll_either(opened: Opened) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    scrolled, shown = opened.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")

    assert scrolled <= shown


def test_only_tables_in_scrolling_boxes_reach_over_the_edge(opened: Opened) -> None:
    over = opened.page.evaluate("""
        () => [...document.body.querySelectorAll("*")]
          .filter((one) => !one.closest(".scroll") && one.getBoundingClientRect().right > window.innerWidth + 1)
          .map((one) => one.outerHTML.slice(0, 80))
    """)

    assert [] == over


def test_text_has_enough_contrast(opened: Opened) -> None:
    contrasts = opened.page.evaluate(CONTRASTS)

    assert len(contrasts) > 100
    assert [] == [found for found in contrasts if found[0] < LEAST_CONTRAST]


def test_texts_in_a_chart_do_not_overlap(opened: Opened) -> None:
    overlaps = opened.page.evaluate("""
        () => [...document.querySelectorAll(".chart svg")].flatMap((chart) => {
          const boxes = [...chart.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
          const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3;
          return boxes.flatMap(([one, a], i) =>
            boxes.slice(i + 1).filter(([, b]) => meet(a, b)).map(([other]) => `${one} / ${other}`));
        })
    """)

    assert [] == overlaps


def test_words_in_a_chart_are_large_enough_to_read(opened: Opened) -> None:
    sizes = opened.page.evaluate("""
        () => [...document.querySelectorAll(".chart svg text")]
          .filter((text) => text.textContent && text.getBoundingClientRect().width)
          .map((text) => [parseFloat(getComputedStyle(text).fontSize), text.getScreenCTM()])
          .map(([size, drawn]) => size * Math.hypot(drawn.a, drawn.b))
    """)

    assert len(sizes) > 100
    assert min(sizes) >= 10.5


# ----------------------------------------------------------------------------------------------------------------------
# the script


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(address)
    yield opened
    opened.close()


def column(page: Page, at: int) -> list[str]:
    """Return a column of the table of all targets, as shown."""
    return page.locator("#all-targets tbody tr:visible").locator(f"xpath=*[{at + 1}]").all_inner_texts()


def test_a_click_sorts_and_a_second_one_reverses(page: Page) -> None:
    head = page.locator("#all-targets thead th").nth(2)

    head.locator("button").click()
    ascending = column(page, 2)
    assert "ascending" == head.get_attribute("aria-sort")
    head.locator("button").click()
    descending = column(page, 2)

    assert "descending" == head.get_attribute("aria-sort")
    # Targets that were not measured come last in both directions.
    count = sum(value == "not measured" for value in ascending)
    assert ["not measured"] * count == ascending[-count:] == descending[-count:]
    values = [float(value.removesuffix("×")) for value in ascending[:-count]]  # noqa: RUF001
    assert sorted(values) == values
    assert values[::-1] == [float(value.removesuffix("×")) for value in descending[:-count]]  # noqa: RUF001
    assert len(EVERY_CASE) == len(ascending) == len(descending)


def test_names_sort_by_their_letters(page: Page) -> None:
    page.locator("#all-targets thead th").nth(0).locator("button").click()

    names = column(page, 0)

    assert ["busy:fp32", "detector@a-rather-long-variant-name:fp16"] == names[:2]
    assert sorted(report.name for report in EVERY_CASE) == sorted(names)


def test_the_keyboard_sorts_too(page: Page) -> None:
    button = page.locator("#all-targets thead th").nth(2).locator("button")
    button.focus()

    page.keyboard.press("Enter")

    assert "ascending" == page.locator("#all-targets thead th").nth(2).get_attribute("aria-sort")
    assert button.evaluate("(button) => button === document.activeElement")


def test_typing_filters_by_all_words(page: Page) -> None:
    field = page.get_by_role("searchbox", name="Show targets with")

    field.fill("INT8 missed")

    assert ["mobilenet:int8", "wanted:int8", "vain:int8"] == column(page, 0)
    assert f"3 of {len(EVERY_CASE)}" == page.get_by_role("status").inner_text()
    field.fill("")
    assert len(EVERY_CASE) == len(column(page, 0))


def test_pointing_at_a_mark_shows_its_figures(page: Page) -> None:
    mark = page.locator("[data-figures]").first
    mark.scroll_into_view_if_needed()

    mark.hover(force=True)

    assert page.locator(".tip").is_visible()
    assert mark.get_attribute("data-figures") == page.locator(".tip").inner_text()


def test_without_scripts_every_figure_is_there_and_no_dead_control(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)

    names = page.locator("#all-targets tbody th").all_inner_texts()
    controls = page.locator("button, input").count()
    marks = page.locator("svg title").count()

    context.close()
    assert [report.name for report in EVERY_CASE] == names
    assert 0 == controls
    assert marks > 100


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_runs_nothing_and_moves_nothing(browser: Browser, tmp_path: Path, name: str, width: int) -> None:
    place = tmp_path / "index.html"
    place.write_text(to_html(hostile(name)), errors="surrogateescape")
    page = browser.new_page(viewport={"width": width, "height": 900})
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)

    opened = Opened(page, place.as_uri())
    scrolled, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    page.locator("#all-targets thead th").nth(0).locator("button").click()

    page.close()
    assert ([], []) == (dialogs, opened.complaints)
    assert [place.as_uri()] == [url for url in opened.requests if not url.startswith("data:")]
    assert scrolled <= shown


def test_dark_and_light_follow_the_system(browser: Browser, address: str) -> None:
    papers = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        papers[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.close()

    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"} == papers


def test_on_paper_it_is_light_and_no_table_is_cut_off(browser: Browser, address: str) -> None:
    # A4 across, less its margins, at 96 dots per inch.
    page = browser.new_page(viewport={"width": 1009, "height": 680}, color_scheme="dark")
    page.goto(address)
    page.emulate_media(media="print")

    paper, widest = page.evaluate("""
        [getComputedStyle(document.body).backgroundColor,
         Math.max(...[...document.querySelectorAll("table")].map((table) => table.getBoundingClientRect().right))]
    """)

    page.close()
    assert "rgb(255, 255, 255)" == paper
    assert widest <= 1009
