"""The pages of the repository lead somewhere, on GitHub and in the site, and say what is so."""

import re
from pathlib import Path

import pytest

from docs import reference, site_links
from tests.conftest import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"\*\*`([^*]+)`\*\*")


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", head)) for head in heads]
    return {head.lower().replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text())):
        to, _, anchor = link.partition("#")
        if ":" in to:
            continue
        there = (page.parent / to).resolve() if to else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


@pytest.mark.parametrize("name", reference.pages())
def test_what_is_generated_is_not_stale(name: str) -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / name).read_text() == reference.pages()[name]


def test_every_page_stands_in_the_navigation() -> None:
    listed = re.findall(r"^ +- .*: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(pages | {*site_links.BESIDE.values()})


def test_links_of_the_site_are_those_of_the_repository() -> None:
    led = site_links.relinked
    assert led("[a](docs/scores.md#b)", "README.md", "index.md") == "[a](scores.md#b)"
    assert led("![a](docs/x.png)", "README.md", "index.md") == "![a](x.png)"
    assert led("[a](../README.md)", "docs/scores.md", "scores.md") == "[a](index.md)"
    page = ("docs/tutorials/t.md", "tutorials/t.md")
    assert led("[a](../../README.md#b) [c](../config.md)", *page) == (
        "[a](../index.md#b) [c](../config.md)"
    )
    assert led("[`a`](../gantext/a.py)", "docs/scores.md", "scores.md") == "`a`"
    assert led("[a](https://x.org/) [b](#c)", "README.md", "index.md") == (
        "[a](https://x.org/) [b](#c)"
    )


def test_quoted_messages_are_those_of_the_code() -> None:
    """A `...` of a quotation stands for what the message says at that place."""
    sources = [path.read_text() for path in (ROOT / "gantext").rglob("*.py")]
    joined = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))  # strings over several lines
    plain = re.sub(r"\{[^{}]*\}", "...", joined).replace('\\"', '"')
    quoted = QUOTED.findall((ROOT / "docs/troubleshooting.md").read_text())
    assert len(quoted) > 30
    for quotation in quoted:
        parts = [part.strip(" :;,()'") for part in " ".join(quotation.split()).split("...")]
        at = r"[^\n]*?".join(re.escape(part) for part in parts if part)
        assert re.search(at, plain), quotation
