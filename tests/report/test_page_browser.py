"""The report's page in a real browser: no network, themes, a phone, the keyboard, no scripts."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from gantext.report.page import Figure, Page, RunPart, Sample, SampleSet, Table, render

pytest.importorskip("selenium", reason="needs selenium: pip install selenium")

Driver = Any
# Its style makes the square red; a script in it would run only outside an <img>.
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><style>rect {{ fill: {} }}'
    '</style><script>parent.hacked = 1</script><rect width="40" height="40"/></svg>'
)
HOSTILE = (
    '<script>window.hacked = 1</script></style></pre>"><img src=x onerror="window.hacked = 1">'
    "\u202egnp.exe\u200b \U0001f3f4\u200d\u2620\ufe0f عربي " + "x" * 5000
)
NLL = ("3.647 ± 0.004", "10.2", "-", "1,500", "\u22122.5", "9e-1")


def a_page(name: str, text: str) -> Page:
    """Two runs with everything; `name` is what the tests read, `text` stands everywhere else."""
    columns = ("run", "phase", *(f"Self-BLEU-{i}" for i in range(10)), "NLL")
    rows = tuple((f"row {i}", text, *["0.804 ± 0.005"] * 10, nll) for i, nll in enumerate(NLL))
    table = Table(f"{name} scores", columns, rows, (f"bleu-4|{text}",), text_columns=2)
    narrow = Table("Narrow", ("run", "NLL"), (("a", "1"),))
    figure = Figure("Losses", text, SVG.format("red"), SVG.format("blue"), table)
    sample = Sample((("a man ", False), (f"on a bike {text}", True)), f"near {text}", 0.5, (text,))
    samples = SampleSet("After mle", f"the first 2 {text}", (sample, Sample((), "", 0.0)))
    run = RunPart(
        f"{name} {text}", "a", ((text, text),), (text,), text, (table,), (figure,), (samples,)
    )
    return Page(name, "now", "1", text, (text,), (table, narrow), (figure,), (run, run))


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for word in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{word}")
    browser = webdriver.Chrome(options, Service(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, text in (("calm", "some words"), ("hostile", HOSTILE)):
        path: Path = folder / f"{name}.html"
        path.write_text(render(a_page(name, text)), encoding="utf-8")
        found[name] = path.as_uri()
    return found


def view(driver: Driver, address: str, width: int = 1280, scheme: str = "light") -> None:
    """Open a page, and every <details> in it."""
    phone = width < 500
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": phone}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media(driver, scheme)
    driver.get(address)
    driver.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")


def media(driver: Driver, scheme: str, kind: str = "") -> None:
    # Smooth scrolling would be under way when the next step looks.
    values = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in values.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


def css(driver: Driver, query: str) -> list[Any]:
    return driver.find_elements("css selector", query)


def shown(driver: Driver, query: str) -> set[bool]:
    return {element.is_displayed() for element in css(driver, query)}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two "rgb(r, g, b)"."""

    def luminance(colour: str) -> float:
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)]
        assert len(parts) == 3, f"{colour} is not opaque"
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


COLOURS = """
const found = new Set();
for (const element of document.querySelectorAll("body *")) {
  const words = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!words || !element.checkVisibility()) continue;
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") {
    ground = ground.parentElement;
  }
  const colour = getComputedStyle(element).color;
  const name = element.tagName.toLowerCase();
  found.add([name, colour, getComputedStyle(ground).backgroundColor].join(";"));
}
return [...found];
"""


def test_contrast_by_hand() -> None:
    """Black on white is 1.05 / 0.05; #777 has (0.4667 + 0.055) / 1.055 -> 0.184, 1.05 / 0.234."""
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(255, 255, 255)", "rgb(119, 119, 119)") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(
    driver: Driver, addresses: dict[str, str], scheme: str
) -> None:
    view(driver, addresses["calm"], scheme=scheme)
    found = [text.split(";") for text in driver.execute_script(COLOURS)]
    assert {"p", "a", "mark", "button", "summary", "th", "td", "code"} <= {
        name for name, *_ in found
    }
    assert not [row for row in found if contrast(row[1], row[2]) < 4.5]


@pytest.mark.parametrize("name", ["calm", "hostile"])
def test_nothing_is_loaded_and_nothing_complains(
    driver: Driver, addresses: dict[str, str], name: str
) -> None:
    driver.get_log("performance")
    driver.get_log("browser")
    view(driver, addresses[name])
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert not [entry for entry in driver.execute_script(script) if not entry.startswith("data:")]
    requests = [e["message"] for e in driver.get_log("performance")]
    urls = re.findall(r'"Network.requestWillBeSent".*?"url":"(.*?)"', "\n".join(requests))
    assert addresses[name] in urls and {url.split(":")[0] for url in urls} <= {"file", "data"}
    assert driver.get_log("browser") == []


def test_a_script_in_a_run_s_text_or_figure_does_not_run(
    driver: Driver, addresses: dict[str, str]
) -> None:
    view(driver, addresses["hostile"])
    assert driver.execute_script("return window.hacked") is None
    assert driver.title == "hostile"
    # No element came of it: the only pictures are the figures.
    assert len(css(driver, "img")) == len(css(driver, "figure > img")) == 6
    assert HOSTILE in driver.execute_script("return document.querySelector('pre').textContent")
    media(driver, "dark")
    assert shown(driver, "figure .dark") == {True}
    assert driver.execute_script("return window.hacked") is None


@pytest.mark.parametrize("name", ["calm", "hostile"])
def test_a_phone_does_not_scroll_sideways(
    driver: Driver, addresses: dict[str, str], name: str
) -> None:
    view(driver, addresses[name], width=360)
    assert driver.execute_script("return document.documentElement.scrollWidth") == 360
    assert driver.execute_script("return innerWidth") == 360
    small = """return [...document.querySelectorAll("a, button, summary")].filter((e) => {
        const box = e.getBoundingClientRect();
        return e.checkVisibility() && !e.matches(".skip") && (box.width < 24 || box.height < 24);
    }).map((e) => e.outerHTML.slice(0, 80))"""
    assert driver.execute_script(small) == []
    tiny = """return Math.min(...[...document.querySelectorAll("body *")].filter((e) =>
        e.checkVisibility()).map((e) => parseFloat(getComputedStyle(e).fontSize)))"""
    assert driver.execute_script(tiny) >= 13


def test_a_wide_table_scrolls_in_its_own_region(driver: Driver, addresses: dict[str, str]) -> None:
    view(driver, addresses["calm"], width=360)
    region = css(driver, "#comparison .scroll")[0]
    assert region.aria_role == "region" and region.accessible_name == "Comparison calm scores"
    first = region.find_element("css selector", "tbody th")
    driver.execute_script("arguments[0].focus(); arguments[0].scrollLeft = 300", region)
    assert driver.switch_to.active_element == region
    assert region.get_property("scrollLeft") == 300
    # The first column stays: 1 px of border beside it.
    assert first.rect["x"] == pytest.approx(region.rect["x"] + 1, abs=0.5)


def test_what_fits_is_no_stop_of_the_tab_key(driver: Driver, addresses: dict[str, str]) -> None:
    view(driver, addresses["calm"], width=360)
    wide, narrow = css(driver, "#comparison > .scroll")
    WebDriverWait(driver, 5).until(lambda _: narrow.get_property("tabIndex") == -1)
    assert wide.get_property("tabIndex") == 0


def test_dark_by_the_system_and_by_the_buttons(driver: Driver, addresses: dict[str, str]) -> None:
    def look() -> tuple[str, set[bool], set[bool]]:
        ground = css(driver, "body")[0].value_of_css_property("background-color")
        return ground, shown(driver, "figure .light"), shown(driver, "figure .dark")

    view(driver, addresses["calm"])
    light = look()
    assert light == ("rgba(255, 255, 255, 1)", {True}, {False})
    media(driver, "dark")
    dark = look()
    assert dark[0] != light[0] and dark[1:] == ({False}, {True})
    auto, to_light, _ = css(driver, ".theme button")
    assert auto.get_attribute("aria-pressed") == "true"
    to_light.send_keys(Keys.ENTER)
    assert look() == light and to_light.get_attribute("aria-pressed") == "true"

    def remembered(driver: Driver) -> bool:
        # A busy Chromium now and then loses what a page from a file has just stored, or finds it
        # one load later; what the page never stored is found by no load.
        driver.refresh()
        if look() == light:
            return True
        css(driver, ".theme button")[1].send_keys(Keys.ENTER)
        return False

    WebDriverWait(driver, 20).until(remembered)
    media(driver, "light")
    css(driver, ".theme button")[2].click()
    assert look() == dark
    media(driver, "light", "print")
    assert look() == light  # on paper
    assert shown(driver, "nav") == {False}
    media(driver, "dark")
    css(driver, ".theme button")[0].click()
    assert look() == dark
    driver.execute_script("localStorage.clear()")


def test_a_figure_keeps_its_own_style(driver: Driver, addresses: dict[str, str]) -> None:
    """The page's policy lets in no other style, but a picture is a document of its own."""
    view(driver, addresses["calm"])
    pixel = """
        const canvas = document.createElement("canvas");
        const pen = canvas.getContext("2d");
        pen.drawImage(document.querySelector(arguments[0]), 0, 0);
        return [...pen.getImageData(5, 5, 1, 1).data]"""
    assert driver.execute_script(pixel, "figure .light") == [255, 0, 0, 255]
    assert driver.execute_script(pixel, "figure .dark") == [0, 0, 255, 255]


def test_tab_goes_to_the_skip_link_then_the_contents(
    driver: Driver, addresses: dict[str, str]
) -> None:
    view(driver, addresses["calm"])
    order = []
    for _ in range(3):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        order.append(driver.switch_to.active_element.text)
        outline = driver.switch_to.active_element.value_of_css_property("outline-style")
        assert outline == "solid"
    assert order == ["Skip to the content", "Summary", "Comparison"]
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB * 2).key_up(Keys.SHIFT).perform()
    skip = driver.switch_to.active_element
    assert skip.rect["y"] >= 0
    ActionChains(driver).send_keys(Keys.ENTER, Keys.TAB).perform()
    inside = "return document.querySelector('main').contains(document.activeElement)"
    assert driver.execute_script(inside)


def test_the_keyboard_sorts_by_value(driver: Driver, addresses: dict[str, str]) -> None:
    view(driver, addresses["calm"])
    table = css(driver, "#comparison table")[0]

    def column() -> list[str]:
        return [cell.text for cell in table.find_elements("css selector", "tbody td:last-child")]

    header = table.find_elements("css selector", "thead th")[-1]
    button = header.find_element("css selector", "button")
    rising = [NLL[i] for i in (4, 5, 0, 1, 3, 2)]
    assert column() == list(NLL) and header.get_attribute("aria-sort") is None
    button.send_keys(Keys.ENTER)
    assert (column(), header.get_attribute("aria-sort")) == (rising, "ascending")
    button.send_keys(Keys.SPACE)
    # What is no number stays last.
    falling = [*rising[-2::-1], "-"]
    assert (column(), header.get_attribute("aria-sort")) == (falling, "descending")
    button.send_keys(Keys.ENTER)
    assert column() == list(NLL) and header.get_attribute("aria-sort") is None
    assert driver.switch_to.active_element == button
    names = table.find_elements("css selector", "thead button")[0]
    names.click()
    names.click()
    rows = [cell.text for cell in table.find_elements("css selector", "tbody th")]
    assert rows == [f"row {i}" for i in reversed(range(len(NLL)))]


def test_the_copy_button_says_what_it_did(driver: Driver, addresses: dict[str, str]) -> None:
    view(driver, addresses["calm"])
    css(driver, ".copy button")[0].send_keys(Keys.ENTER)
    said = css(driver, ".copy [role=status]")[0]
    WebDriverWait(driver, 5).until(lambda _: re.match("Copied|Selected", said.text))


def test_all_is_there_without_javascript(driver: Driver, addresses: dict[str, str]) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(addresses["calm"])
        media(driver, "dark")
        assert shown(driver, "#comparison > .scroll *, .sentence, h2, figure .dark") == {True}
        # No dead control: what needs the script is hidden.
        assert shown(driver, "button, figure .light") == {False}
        css(driver, "details summary")[0].send_keys(Keys.ENTER)
        assert "bleu-4" in css(driver, "details")[0].text
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
