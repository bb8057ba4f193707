"""The papers' numbers: complete, plausible, found by plane, data set and protocol."""

import pytest

from gantext.errors import UserError
from gantext.metrics.text.planes import LM, ORACLE, PlaneName, bleu
from gantext.metrics.text.presets import ORDERS, PRESETS
from gantext.metrics.text.published import PUBLISHED, PublishedPoint, published_points

BLEU = [point for point in PUBLISHED if point.plane is PlaneName.bleu]


def of_coco(preset: str) -> tuple[PublishedPoint, ...]:
    return published_points(PlaneName.bleu, "coco", preset)


def test_the_models_of_each_protocol() -> None:
    models = [point.model for point in of_coco("texygen")]
    assert models == ["SeqGAN", "MaliGAN", "RankGAN", "LeakGAN", "TextGAN-MMD", "MLE"]
    assert [p.model for p in of_coco("relgan")] == ["RelGAN (100)", "RelGAN (1000)"]
    assert of_coco("leakgan") == published_points(PlaneName.bleu, "scenes", "texygen") == ()


def test_a_preset_that_is_misspelt_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean texygen"):
        of_coco("texygn")


def test_each_point_has_all_orders_a_source_and_a_known_preset() -> None:
    for point in BLEU:
        assert point.preset in PRESETS and point.source
        rows = [
            [point.values[f"{name}-{order}"] for order in ORDERS]
            for name in ("bleu", "self-bleu")
            if f"{name}-4" in point.values
        ]
        assert rows and len(point.values) == len(rows) * len(ORDERS)
        for row in rows:
            # A longer n-gram is never easier to match.
            assert sorted(row, reverse=True) == row
            assert all(0 < value < 1 for value in row)


def test_relgan_has_no_self_bleu() -> None:
    without = {p.model for p in BLEU if "self-bleu-4" not in p.values}
    assert without == {"RelGAN (100)", "RelGAN (1000)"}


def test_some_values_by_name() -> None:
    values = {point.model: point.values for point in BLEU}
    assert values["SeqGAN"]["bleu-4"] == 0.294
    own = {order: values["RankGAN"][f"self-bleu-{order}"] for order in ORDERS}
    assert own == {2: 0.959, 3: 0.882, 4: 0.762, 5: 0.618}
    assert values["RelGAN (1000)"]["bleu-5"] == 0.303


def test_the_oracle_s_values_of_papers_have_no_place_but_caccia_s_have() -> None:
    """Whatever the preset of BLEU is. LeakGAN's code sampled at logits times 1.5."""
    found = published_points(PlaneName.oracle, "oracle", "relgan")
    placed = [one for one in found if one.values.keys() == {"nll-test", "nll-oracle"}]
    assert {one.by for one in placed} == {"Caccia et al."} and len(placed) == 11
    alone = {one.model: one for one in found if one not in placed}
    assert {model: one.values for model, one in alone.items()} == {
        "MLE": {"nll-oracle": 9.038},
        "SeqGAN": {"nll-oracle": 8.736},
        "RankGAN": {"nll-oracle": 8.247},
        "LeakGAN": {"nll-oracle": 7.038},
        "RelGAN": {"nll-oracle": 6.680},
        "real sequences": {"nll-oracle": 5.750},
    }
    assert alone["LeakGAN"].temperature == 0.667 and alone["RankGAN"].temperature is None
    assert alone["SeqGAN"].cited == "SeqGAN (Yu et al. 2017)"
    assert placed[0].cited == "MLE (Caccia et al. 2020)"


def test_each_plane_measures_what_stands_on_its_axes() -> None:
    for plane in (*map(bleu, ORDERS), ORACLE, LM):
        assert {plane.x.score, plane.y.score} <= set(plane.columns)
        assert plane.reads != plane.where and {plane.reads, plane.where} <= {plane.x, plane.y}
        own = [one for one in PUBLISHED if one.plane is plane.name]
        assert {name for one in own for name in one.values} <= set(plane.columns)
