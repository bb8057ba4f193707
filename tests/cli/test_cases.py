"""Text that goes wrong elsewhere (capitals, Chinese, <unk>), through training and every score.

Runs of tiny language models on it, and what is noticed on the way, which every command says.
"""

import functools
import html
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gantext
from gantext.data.tokenizers import tokenize
from gantext.inference import sampling
from tests.cli.test_preparation import ENDS, NAMES, THINGS, VERBS, own_bleu, sentences, values
from tests.conftest import SMALL_MLE, Command, scores_in

PARTS = (NAMES, VERBS, THINGS, ENDS)
CHINESE = (("我", "他", "老师"), ("今天", "明天"), ("喜欢", "修理", "卖"), ("苹果。", "小船。"))
# As much as one says in a score that is said to depend on the number of sentences.
TOO_FEW = "real: only 40 training sentences beside 60 samples: not comparable"
BLANK = "blank samples, each counted as a sentence: 5"
Runs = Callable[[str], Path]


def texts(kind: str) -> list[str]:
    """The sentences of a kind of text: 40 for training, then 12 for testing."""
    if kind == "chinese":
        return sentences(52, 0, CHINESE, "")
    lines = sentences(52, 0, PARTS)
    if kind in ("hide", "write"):
        return [re.sub("apples|boat", "<unk>", line).lower() for line in lines]
    return [line.lower() for line in lines] if kind == "lower" else lines


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """`runs(kind)`: the folder of a run on text of this kind, trained once for all tests."""

    @functools.cache
    def trained(kind: str) -> Path:
        folder = tmp_path_factory.mktemp(kind)
        lines = texts(kind)
        for name, part in (("train", lines[:40]), ("test", lines[40:])):
            (folder / f"{name}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
        own = {
            "chinese": ["data.tokenizer=char"],
            "hide": ["data.tokenizer=whitespace"],
            "write": ["data.tokenizer=whitespace", "data.unk=write"],
        }
        words = [word for word in SMALL_MLE if not word.startswith("data")]
        data = ["data=text", f"data.train={folder}/train.txt", f"data.test={folder}/test.txt"]
        words += [*data, *own.get(kind, []), "eval.samples=30", "model.mle.epochs=12"]
        return gantext.train(*words, name="run", runs_dir=folder).path

    return trained


class Letters:
    """Encodes a sentence by how often some letters stand in it, large and small ones apart."""

    id = "letters 1"

    def encode(self, lines: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[line.count(x) for x in "abPT"] for line in lines], dtype=np.float32)


@pytest.fixture
def quick(brief_judge: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that are done at once: two steps of a language model, and letters for an encoder."""
    encoder = "gantext.evaluation.judges.embedded.load_encoder"
    monkeypatch.setattr(encoder, lambda *_: Letters())


def cells(page: str) -> list[str]:
    """The numbers in the tables of a report, with what they vary by."""
    found = re.findall(r"<td[^>]*>\s*([^<]*?)\s*</td>", page)
    return [cell for cell in found if re.fullmatch(r"-?[\d.,]+( ±[\d.,]+)?", cell)]


@pytest.mark.usefixtures("quick")
def test_a_run_on_capitals_scores_as_one_without(cli: Command, runs: Runs, tmp_path: Path) -> None:
    """All scores of a run and of a file beside it, compared and reported ones too."""
    file = tmp_path / "samples.txt"
    file.write_text("\n".join(sentences(20, 3, PARTS)) + "\n")
    beside = ["--samples", str(file), "-n", "30"]
    for command in ("all", "frechet"):  # which all leaves out where its library is missing
        cased, lower = (
            cli("eval", command, str(runs(kind)), *beside, "--json") for kind in ("cased", "lower")
        )
        assert cased.code == 0, cased.err
        of: list[dict[Any, float]] = [{}, {}]
        for found, scores in zip((cased, lower), of, strict=True):
            for place, one in enumerate(scores_in(found.out)):
                scores[place, one["name"]] = one["value"]
                # Likelihoods are of the tokens of the data, whatever the case of its lines.
                assert one["signature"].get("case") == "lower" or "eos" in one["signature"]
        assert of[0] == of[1] and of[0], command
    compared = [
        json.loads(cli("compare", str(runs(kind)), *beside, "--json").out)[0]["runs"]
        for kind in ("cased", "lower")
    ]
    numbers = [
        [[(one["name"], one["value"]) for one in run["scores"]] for run in runs_of]
        for runs_of in compared
    ]
    assert numbers[0] == numbers[1] and len(numbers[0]) == 3
    pages = []
    for kind in ("cased", "lower"):
        found = cli("report", str(runs(kind)), "-n", "30", "--temperatures", "none")
        assert found.code == 0, found.err
        pages.append(cells((tmp_path / "report.html").read_text()))
    assert pages[0] == pages[1] and len(pages[0]) > 50


def test_a_run_on_characters_is_scored_as_characters(cli: Command, runs: Runs) -> None:
    """BLEU of what the run writes, against nltk on lists of characters."""
    run = str(runs("chinese"))
    samples = cli("sample", run, "-n", "20", "--seed", "20").out.splitlines()
    found = values(cli, "bleu", run, "-n", "20")
    for order in (2, 4):
        expected = own_bleu([*map(list, samples)], [*map(list, texts("chinese")[40:])], order)
        assert found[f"bleu-{order}"] == pytest.approx(expected, rel=1e-12)
    assert found["corpus-bleu"] > 0
    assert values(cli, "bleu", run, "--preset", "leakgan")["bleu-2"] > 0
    said = values(cli, "diversity", run, "-n", "20")
    assert 0 < said["distinct-2"] <= 1
    assert said["length-mean"] == sum(map(len, samples)) / len(samples)


@pytest.mark.parametrize("kind", ["hide", "write"])
def test_a_run_writes_unk_where_it_may(cli: Command, runs: Runs, kind: str) -> None:
    """In both it is one token of the likelihood, as in published perplexities of such text."""
    run, real = str(runs(kind)), texts(kind)[40:]
    samples = cli("sample", run, "-n", "100").out
    assert ("<unk>" in samples) is (kind == "write") and "< unk" not in samples
    found = values(cli, "likelihood", run)
    tokens = sum(len(line.split()) + 1 for line in real)  # <eos> counts
    mean = found["nll-test-sentence"] * len(real)
    assert found["nll-test"] == pytest.approx(mean / tokens, rel=1e-6)
    times = sum(line.count("<unk>") for line in real)
    noted = cli("data", "show", "text", *_data(runs(kind))).out
    assert f"test: <unk> stands {times} times in the text" in " ".join(noted.split())


def _data(run: Path) -> list[str]:
    """The overrides of a run's data."""
    told: list[str] = json.loads((run / "run.json").read_text())["overrides"]
    return [word for word in told if word.startswith("data.")]


@pytest.fixture
def wordless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first three sentences that a run writes have no word."""
    draw = sampling.draw

    def drawn(*asked: Any, **options: Any) -> tuple[list[str], list[list[str]]]:
        lines, words = draw(*asked, **options)
        return ["", "", " ", *lines[3:]], [[], [], [], *words[3:]]

    monkeypatch.setattr(sampling, "draw", drawn)


@pytest.mark.usefixtures("wordless")
@pytest.mark.parametrize(
    "command",
    [
        ["eval", "self-bleu", "{}"],
        ["eval", "frontier", "{}", "--temperatures", "1.0"],
        ["compare", "{}", "--samples", "{}/samples/mle.txt"],
        ["report", "{}", "--temperatures", "1.0"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_every_command_says_what_it_has_noticed(
    cli: Command, runs: Runs, tmp_path: Path, command: list[str]
) -> None:
    """Once, and again when the scores are read back."""
    run = str(runs("lower"))
    words = [*(word.format(run) for word in command), "-n", "60"]
    for _ in range(2):
        found = cli(*words)
        assert found.code == 0, found.err
        for note in (TOO_FEW, f"run: {BLANK}"):
            assert found.err.count(f"note: {note}") == 1, found.err
    if command[0] == "report":
        said = html.unescape((tmp_path / "report.html").read_text())
        assert said.count(TOO_FEW) == said.count(BLANK) == 1
    elif command[1] != "self-bleu":
        document = json.loads(cli(*words, "--json").out)
        notes = document["notes"] if isinstance(document, dict) else document[0]["notes"]
        assert [note for note in notes if note.startswith(TOO_FEW)] and f"run: {BLANK}" in notes


def test_blank_sentences_count(cli: Command, runs: Runs, wordless: None) -> None:
    """Three of 60 have BLEU 0, so that the mean is that of the other 57 times 57 / 60."""
    run = str(runs("lower"))
    samples = cli("sample", run, "-n", "60", "--seed", "20").out.splitlines()
    hypotheses, references = (
        [tokenize(line, "nltk") for line in lines] for lines in (samples[3:], texts("lower")[40:])
    )
    rest = own_bleu(hypotheses, references, 2)
    found = values(cli, "bleu", run, "-n", "60")
    assert found["bleu-2"] == pytest.approx(rest * 57 / 60, rel=1e-12)
