"""The papers' numbers: complete, plausible, found by data set and protocol."""

import pytest

from gantext.errors import UserError
from gantext.metrics.text.bleu_scores import ORDERS
from gantext.metrics.text.presets import PRESETS
from gantext.metrics.text.published import PUBLISHED, published_points


def test_the_models_of_each_protocol() -> None:
    models = [point.model for point in published_points("coco", "texygen")]
    assert models == ["SeqGAN", "MaliGAN", "RankGAN", "LeakGAN", "TextGAN-MMD", "MLE"]
    assert [p.model for p in published_points("coco", "relgan")] == [
        "RelGAN (100)",
        "RelGAN (1000)",
    ]
    assert published_points("coco", "leakgan") == published_points("scenes", "texygen") == ()


def test_a_preset_that_is_misspelt_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean texygen"):
        published_points("coco", "texygn")


def test_each_point_has_all_orders_a_source_and_a_known_preset() -> None:
    for point in PUBLISHED:
        assert point.preset in PRESETS and point.source
        rows = [point.bleu, *([point.self_bleu] if point.self_bleu else [])]
        for row in rows:
            assert tuple(row) == ORDERS
            # A longer n-gram is never easier to match.
            assert sorted(row.values(), reverse=True) == list(row.values())
            assert all(0 < value < 1 for value in row.values())


def test_relgan_has_no_self_bleu() -> None:
    assert {p.model for p in PUBLISHED if p.self_bleu is None} == {"RelGAN (100)", "RelGAN (1000)"}


def test_some_values_by_name() -> None:
    values = {point.model: point for point in PUBLISHED}
    assert values["SeqGAN"].bleu[4] == 0.294
    assert values["RankGAN"].self_bleu == {2: 0.959, 3: 0.882, 4: 0.762, 5: 0.618}
    assert values["RelGAN (1000)"].bleu[5] == 0.303
