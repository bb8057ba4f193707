"""Text is prepared once, the same way, on both sides of every score."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from sacrebleu import corpus_bleu

from gantext.data.tokenizers import tokenize
from tests.conftest import Command, scores_in

NAMES = ("Peter", "Anna", "The baker", "Our teacher", "A tired child", "Berlin's mayor")
VERBS = ("sells", "repairs", "hides", "finds", "paints")
THINGS = ("a green boat", "some apples", "the old bridge", "two red hats")
ENDS = ("before lunch.", "on Monday.", "in Rome.", "at the market in Paris.")


def sentences(n: int, seed: int, parts: Sequence[Sequence[str]], gap: str = " ") -> list[str]:
    rng = random.Random(seed)
    return [gap.join(map(rng.choice, parts)) for _ in range(n)]


def written(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def records(cli: Command, *words: str) -> dict[str, dict[str, Any]]:
    found = cli("eval", *words, "--json")
    assert found.code == 0, found.err
    return {record["name"]: record for record in scores_in(found.out)}


def values(cli: Command, *words: str) -> dict[str, float]:
    return {name: record["value"] for name, record in records(cli, *words).items()}


def own_bleu(hypotheses: list[list[str]], references: list[list[str]], order: int) -> float:
    smooth = SmoothingFunction().method1
    found = [
        sentence_bleu(references, one, [1 / order] * order, smoothing_function=smooth)
        for one in hypotheses
    ]
    return sum(found) / len(found)


@pytest.mark.parametrize("command", ["bleu", "diversity", "lengths"])
def test_case_follows_the_data(cli: Command, tmp_path: Path, command: str) -> None:
    """Files with capitals score as the same files in lower case; the signature says so."""
    parts = (NAMES, VERBS, THINGS, ENDS)
    samples = [line.lower() for line in sentences(20, 2, parts)]
    file = str(written(tmp_path / "samples.txt", samples))
    found = []
    for name in ("cased", "lower"):
        train, test = sentences(60, 0, parts), sentences(20, 1, parts)
        if name == "lower":
            train, test = [line.lower() for line in train], [line.lower() for line in test]
        data = [
            f"data.train={written(tmp_path / f'{name}_train.txt', train)}",
            f"data.test={written(tmp_path / f'{name}_test.txt', test)}",
        ]
        found.append(values(cli, command, "--samples", file, "data=text", *data))
    assert found[0] == found[1]
    said = records(cli, command, "--samples", file, "data=text", *data)
    assert all(one["signature"]["case"] == "lower" for one in said.values())


def test_case_is_kept_where_the_data_keeps_it(cli: Command, tmp_path: Path) -> None:
    train = written(tmp_path / "train.txt", ["A b c d e", "F g h i j"])
    file = str(written(tmp_path / "samples.txt", ["a b c d e"]))
    data = ["data=text", f"data.train={train}", f"data.test={train}"]
    assert values(cli, "bleu", "--samples", file, *data)["bleu-2"] == 1
    kept = records(cli, "bleu", "--samples", file, *data, "data.lowercase=false")["bleu-2"]
    assert kept["value"] < 1 and "case" not in kept["signature"]


def test_data_of_characters_is_scored_as_characters(cli: Command, tmp_path: Path) -> None:
    """Against nltk on lists of characters, and sacreBLEU's tokenizer of them."""
    parts = (("我", "他", "老师"), ("今天", "明天"), ("喜欢", "修理", "卖"), ("苹果。", "小船。"))
    train, test = sentences(30, 0, parts, ""), sentences(8, 1, parts, "")
    samples = sentences(10, 2, parts, "")
    data = [
        "data=text",
        "data.tokenizer=char",
        f"data.train={written(tmp_path / 'train.txt', train)}",
        f"data.test={written(tmp_path / 'test.txt', test)}",
    ]
    file = str(written(tmp_path / "samples.txt", samples))
    found = records(cli, "bleu", "--samples", file, *data)
    for order in (2, 5):
        expected = own_bleu([*map(list, samples)], [*map(list, test)], order)
        assert found[f"bleu-{order}"]["value"] == pytest.approx(expected, rel=1e-12)
    streams = [[line] * len(samples) for line in test]
    corpus = corpus_bleu(samples, streams, tokenize="char", lowercase=True).score
    assert found["corpus-bleu"]["value"] == pytest.approx(corpus, rel=1e-12)
    assert found["bleu-2"]["signature"]["tokenizer"] == "char"
    assert "tok:char" in found["corpus-bleu"]["signature"]["signature"]
    said = values(cli, "diversity", "--samples", file, *data)
    assert said["length-mean"] == sum(map(len, samples)) / len(samples)


def test_blank_lines_are_no_sentences(cli: Command, tmp_path: Path) -> None:
    """Of the samples and of the references; a note counts them."""
    parts = (NAMES, VERBS, THINGS, ENDS)
    lines, real = sentences(12, 0, parts), sentences(12, 1, parts)
    whole = [str(written(tmp_path / "hyp.txt", lines)), str(written(tmp_path / "ref.txt", real))]
    blank = [
        str(written(tmp_path / "hyp_blank.txt", [*lines[:5], "", *lines[5:]])),
        str(written(tmp_path / "ref_blank.txt", ["  ", *real, ""])),
    ]
    expected = values(cli, "bleu", "--samples", whole[0], "--references", whole[1])
    assert values(cli, "bleu", "--samples", blank[0], "--references", blank[1]) == expected
    found = cli("eval", "bleu", "--samples", blank[0], "--references", blank[1])
    assert "hyp_blank.txt: 1 blank lines skipped" in found.err
    assert "ref_blank.txt: 2 blank lines skipped" in found.err


def test_unk_is_one_token(cli: Command, tmp_path: Path) -> None:
    """By hand, and against nltk with another word in its place."""
    assert tokenize("a <unk>, b's <unk>.", "nltk") == ["a", "<unk>", ",", "b", "'s", "<unk>", "."]
    assert tokenize("a<unk>", "char") == ["a", "<unk>"]
    lines = ["a <unk> hides a boat.", "the <unk> paints <unk>."]
    real = ["a <unk> hides the boat.", "peter paints <unk>.", "a <unk> sleeps."]
    files = [
        "--samples",
        str(written(tmp_path / "hyp.txt", lines)),
        "--references",
        str(written(tmp_path / "ref.txt", real)),
    ]
    found = values(cli, "bleu", *files)
    words = [[tokenize(s.replace("<unk>", "unk"), "nltk") for s in side] for side in (lines, real)]
    assert found["bleu-3"] == pytest.approx(own_bleu(*words, 3), rel=1e-12)
    sides = [[s.replace("<unk>", "unk") for s in side] for side in (lines, real)]
    corpus = corpus_bleu(sides[0], [[line] * 2 for line in sides[1]]).score
    assert found["corpus-bleu"] == pytest.approx(corpus, rel=1e-12)
    assert "<unk> stands 3 times" in cli("eval", "bleu", *files).err


@pytest.mark.parametrize("unk", ["hide", "write"])
def test_unk_is_on_both_sides_or_on_none(cli: Command, tmp_path: Path, unk: str) -> None:
    """As the same files without it score, or as those with another word in its place."""
    lines = ["a <unk> hides a boat.", "the <unk> paints <unk>.", "anna sells a boat."]
    real = ["a <unk> hides the boat.", "peter paints <unk>.", "<unk>", "a <unk> sleeps."]

    def files(name: str, instead: str) -> list[str]:
        sides = [
            [s.replace("<unk> ", instead).replace("<unk>", instead.strip()) for s in side]
            for side in (lines, real)
        ]
        written_at = [
            written(tmp_path / f"{name}{i}", [s for s in side if s]) for i, side in enumerate(sides)
        ]
        data = [f"data.train={written_at[1]}", f"data.test={written_at[1]}"]
        return ["--samples", str(written_at[0]), "data=text", *data]

    with_it = [*files("with", "<unk> "), f"data.unk={unk}"]
    without = files("without", "" if unk == "hide" else "unk ")
    for command in ("bleu", "self-bleu", "diversity", "lengths"):
        assert values(cli, command, *with_it) == values(cli, command, *without)
    found = cli("eval", "bleu", *with_it, "--signatures")
    assert ("unk:left out" in found.out) is (unk == "hide")
    left_out = "note: <unk> is left out of all that is scored, 4 times of the references"
    assert (left_out in found.err) is (unk == "hide")


def test_self_bleu_and_diversity_need_no_references(cli: Command, tmp_path: Path) -> None:
    file = str(written(tmp_path / "a.txt", sentences(12, 0, (NAMES, VERBS, THINGS, ENDS))))
    assert len(values(cli, "self-bleu", "--samples", file)) == 4
    assert "distinct-2" in values(cli, "diversity", "--samples", file)
    found = cli("eval", "bleu", "--samples", file)
    assert found.code == 2 and "references are needed" in found.err


def test_fewer_real_sentences_than_samples_are_said(cli: Command, tmp_path: Path) -> None:
    parts = (NAMES, VERBS, THINGS, ENDS)
    data = ["data=text", f"data.train={written(tmp_path / 'train.txt', sentences(20, 0, parts))}"]
    file = str(written(tmp_path / "samples.txt", sentences(30, 1, parts)))
    found = cli("eval", "self-bleu", "--samples", file, *data)
    assert "real: only 18 training sentences beside 30 samples: not comparable" in found.err
