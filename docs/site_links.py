"""Hooks of mkdocs.yml: README.md and its like become pages, and links lead to them.

The pages are written for GitHub, where links are relative to the file that has them. Those to files
beside docs/ lead to the pages that these become, and those to source code are plain text here.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
LINK = re.compile(r"(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?P<to>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie beside docs/."""
    from mkdocs.structure.files import File

    for source, page in BESIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page to where things lie in the site."""
    place = page.file.src_uri
    sources = {name: source for source, name in BESIDE.items()}
    return relinked(markdown, sources.get(place, f"docs/{place}"), place)


def relinked(markdown: str, source: str, place: str) -> str:
    """The Markdown of a file of the repository as a page of the site, both by their paths."""

    def led(link: re.Match[str]) -> str:
        to, anchor = link["to"], link["anchor"] or ""
        if not to or ":" in to:
            return link[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
        page = BESIDE.get(target) or target.removeprefix("docs/")
        if page == target and target not in BESIDE:  # no page: source code
            return link["text"]
        there = posixpath.relpath(page, posixpath.dirname(place) or ".")
        return f"{link['mark']}[{link['text']}]({there}{anchor})"

    return LINK.sub(led, markdown)
