"""The report's page as text: well formed, self-contained, and every text of a run escaped."""

import base64
import dataclasses
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gantext.report.page import (
    RESERVED,
    Figure,
    Page,
    RunPart,
    Sample,
    SampleSet,
    SweepPart,
    Table,
    data_uri,
    render,
    unique_anchors,
)

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><path d="M0 0h4v2"/></svg>'
VOID = {"meta", "img", "link", "br", "hr", "input"}
HOSTILE = (
    "<script>alert(1)</script>",
    "</style></pre></textarea>-->",
    '"><img src=x onerror="alert(1)">',
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; &#x202e;",
    "\u202egnp.exe \u200b\u200d \U0001f3f4\u200d\u2620\ufe0f عربي",
    "x" * 5000,
)


class Parsed(HTMLParser):
    """Elements with their attributes and texts; fails where a tag is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[int] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for i in self.open:
            self.texts[i] += data

    def values(self, attribute: str) -> list[str]:
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    def texts_of(self, tag: str, **wanted: str) -> list[str]:
        pairs = zip(self.elements, self.texts, strict=True)
        return [t for (name, attrs), t in pairs if name == tag and wanted.items() <= attrs.items()]


def a_run(text: str, anchor: str = "a") -> RunPart:
    """A run in which every text is `text`."""
    table = Table(text, (text, text), ((text, text),), (text,))
    samples = (Sample(((text, True), (text, False)), text, 0.5, (text,)), Sample((), "", 0.0))
    return RunPart(
        text,
        anchor,
        ((text, text),),
        (text, text),
        text,
        (table,),
        (Figure(text, text, SVG, SVG, table),),
        (SampleSet(text, text, samples),),
    )


def a_page(text: str, *runs: RunPart) -> Page:
    run = a_run(text)
    return Page(text, text, text, text, (text,), run.tables, run.figures, runs or (run,))


def check(html: str) -> Parsed:
    """Parse, and assert what holds of every page."""
    parsed = Parsed(html)
    ids = parsed.values("id")
    assert len(set(ids)) == len(ids) and not [i for i in ids if not re.fullmatch(r"[\w-]+", i)]
    links = parsed.values("href")
    assert links and {link[1:] for link in links if link[0] == "#"} <= set(ids)
    assert not [link for link in links if link[0] != "#"]
    named = " ".join([*parsed.values("aria-labelledby"), *parsed.values("data-copies")]).split()
    assert named and set(named) <= set(ids)
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert not [s for s in parsed.values("src") if not s.startswith("data:image/svg+xml;base64,")]
    names = {name for _, attrs in parsed.elements for name in attrs}
    assert not [name for name in names if name == "style" or name.startswith("on")]
    return parsed


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    def shape(parsed: Parsed) -> list[tuple[str, set[str]]]:
        return [(tag, set(attrs)) for tag, attrs in parsed.elements]

    plain = shape(check(render(a_page("plain"))))
    for text in HOSTILE:
        parsed = check(render(a_page(text)))
        assert shape(parsed) == plain
        assert parsed.texts_of("code") == [text, text]  # the command and the config
        assert parsed.texts_of("p", **{"class": "sentence"})[0] == text + text
        assert parsed.texts_of("mark")[1:] == [text]
        assert parsed.texts_of("h1") == parsed.texts_of("title") == [text]
        alt = f"{text}. {text}"
        assert parsed.values("alt") == [alt] * 4  # two figures in two themes


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    parsed = check(render(a_page(text, a_run(text, text), a_run(text, text))))
    assert parsed.texts_of("code") == [text] * 3


def test_a_lone_surrogate_can_be_written() -> None:
    assert "a?b" in render(a_page("a\ud800b"))
    render(a_page("a\ud800b")).encode("utf-8")


def test_the_policy_lets_in_the_page_s_own_style_and_script_only() -> None:
    html = render(a_page("a"))
    parsed = check(html)
    ((policy,),) = ([v for v in parsed.values("content") if "default-src" in v],)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag in ("style", "script"):
        (text,) = parsed.texts_of(tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert "http" not in re.sub(r"http-equiv|charset", "", html)  # figures are base64
    assert "url(" not in html and "@import" not in html


def test_pages_with_little_in_them() -> None:
    empty = check(render(Page("", "", "", "", (), (), (), ())))
    assert empty.texts_of("h1") == ["Report"] and "no run in this report" in empty.texts[0]
    bare = RunPart("", "", (), (), "", (), (), ())
    assert check(render(a_page("a", bare, bare))).values("id").count("run-2") == 1
    table = Table("t", ("a", "b"), ())
    html = render(dataclasses.replace(a_page("a"), tables=(table,)))
    assert "nothing measured" in check(html).texts_of("td", colspan="2")


def test_anchors() -> None:
    wishes = ["gan 1", "gan-1", "gan-1-2", "gan-1", "", "набор", "summary", "a/../b--c", "A_1"]
    assert unique_anchors(wishes) == [
        *("gan-1", "gan-1-2", "gan-1-2-2", "gan-1-3"),
        *("run", "run-2", "summary-2", "a-b-c", "A_1"),
    ]


@given(st.lists(st.sampled_from(["a", "a-2", "a--2", "-", "content", "é"]) | st.text()))
def test_anchors_are_unique_and_safe(wishes: list[str]) -> None:
    anchors = unique_anchors(wishes)
    assert len(set(anchors)) == len(wishes) and not set(anchors) & set(RESERVED)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*", anchor) for anchor in anchors)


def test_the_pieces_of_a_sentence_are_joined_as_they_are() -> None:
    sample = Sample(
        (("a  man ", False), ("on a", True), (" bike .", False)), "a man", 0.875, ("f",)
    )
    run = dataclasses.replace(a_run("r"), samples=(SampleSet("t", "how", (sample,)),))
    parsed = check(render(a_page("p", run)))
    assert parsed.texts_of("p", **{"class": "sentence"}) == ["a  man on a bike ."]
    assert parsed.texts_of("mark")[1:] == ["on a"]  # the first is the legend
    assert parsed.texts_of("p", **{"class": "nearest"}) == ["Nearest in training (0.88): a man"]


def test_what_is_wrong_is_marked_where_it_is_copied_too() -> None:
    """Characters 11 to 15, the word bike: the end of what is copied, and more."""
    sample = Sample((("a man ", False), ("on a bi", True), ("ke .", False)), "", 0.0)
    sample = dataclasses.replace(sample, fault="Ungrammatical from word 5 on.", wrong=(11, 15))
    run = dataclasses.replace(a_run("r"), samples=(SampleSet("t", "how", (sample,)),))
    parsed = check(render(a_page("p", run)))
    assert parsed.texts_of("p", **{"class": "sentence"}) == ["a man on a bike ."]
    assert parsed.texts_of("mark")[1:] == ["on a ", "bi"]
    assert parsed.texts_of("u")[1:] == ["bi", "ke"]
    assert parsed.texts_of("p", **{"class": "fault"}) == ["Ungrammatical from word 5 on."]


def test_a_job_and_its_sweep_lead_to_each_other() -> None:
    jobs = Table("Jobs", ("job", "nll"), (("0", "3.6"), ("1", "3.5")))
    sweep = SweepPart("s", (("jobs", "2"),), "gantext train -m", (jobs,), (), ("more",), {"1": "r"})
    run = dataclasses.replace(a_run("r", "r"), sweep="s", place=7)
    parsed = check(render(dataclasses.replace(a_page("p", run), sweeps=(sweep,))))
    assert parsed.texts_of("a", href="#s") == ["Sweep s", "s"]
    assert "1" in parsed.texts_of("a", href="#r") and "0" not in parsed.texts_of("a", href="#r")
    assert {"swatch run-1"} == {name for name in parsed.values("class") if "swatch" in name}


def test_tables_say_what_heads_what() -> None:
    table = Table("Scores", ("run", "phase", "NLL"), (("r", "mle", "3.6"),), ("nll|v:1",), 2)
    run = dataclasses.replace(a_run("r", "x y"), figures=())
    page = dataclasses.replace(a_page("p", run), tables=(table,), figures=())
    parsed = check(render(page))
    assert parsed.texts_of("caption")[0] == "Scores"
    assert parsed.texts_of("th", scope="col")[:3] == ["run", "phase", "NLL"]
    assert parsed.texts_of("th", scope="row")[0] == "r"
    # A run's name leads to its part: in the contents and in what compares runs, not in the run's
    # own table, where the same word is another thing (a phase).
    assert parsed.texts_of("a", href="#x-y") == ["r", "r"]
    assert parsed.texts_of("td", **{"class": "number"})[0] == "3.6"
    assert "mle" not in parsed.texts_of("td", **{"class": "number"})


def test_a_name_that_two_runs_have_is_no_link() -> None:
    html = render(a_page("r", a_run("r"), a_run("r")))
    assert '<th scope="row">r</th>' in html and '<th scope="row"><a' not in html


def test_what_would_show_broken_is_refused() -> None:
    with pytest.raises(ValueError, match="rows must have its 2 columns"):
        Table("t", ("a", "b"), (("1",),))
    with pytest.raises(ValueError, match="0 columns"):
        Table("t", (), ())
    for wrong in (
        "<svg></svg>",
        f"<?xml?>{SVG}",
        "",
        '<svg><g xmlns="http://www.w3.org/2000/svg"/>',
    ):
        with pytest.raises(ValueError, match="not an <svg>"):
            Figure("f", "", SVG, wrong)


def test_a_figure_is_its_text() -> None:
    kind, text = data_uri("<svg>é</svg>").split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(text).decode() == "<svg>é</svg>"


def test_the_same_page_gives_the_same_text() -> None:
    assert render(a_page("a")) == render(a_page("a"))
