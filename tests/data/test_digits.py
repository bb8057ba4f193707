"""scikit-learn's digits."""

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gantext.data.digits import Config, load_pictures
from gantext.errors import UserError

CONFIG = Config(name="digits", validation_size=100, test_size=360, seed=0)
needs_scikit_learn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)


@needs_scikit_learn
def test_all_of_it_from_0_to_255() -> None:
    """scikit-learn has 0 to 16: 16 becomes 255, 8 becomes 8 * 255 / 16 = 127.5, rounded to even."""
    from sklearn.datasets import load_digits

    found = load_pictures(CONFIG)
    splits = (found.train, found.validation, found.test)
    assert [len(split) for split in splits] == [1337, 100, 360]
    assert (found.channels, found.size, found.max_length) == (1, 8, 0)
    assert found.classes == tuple("0123456789")
    table = load_digits()
    pictures = torch.cat([split.pictures for split in splits])[:, 0].numpy()
    labels = torch.cat([split.labels for split in splits]).numpy()
    assert pictures.max() == 255 and 128 in pictures and 16 in pictures

    def rows(pictures: np.ndarray, labels: np.ndarray) -> list[bytes]:
        sixteenths = np.rint(pictures * (16 / pictures.max())).astype(np.uint8)
        return sorted(
            x.tobytes() + bytes([y]) for x, y in zip(sixteenths, labels.tolist(), strict=True)
        )

    assert rows(pictures.astype(float), labels) == rows(table.images, table.target)


@needs_scikit_learn
def test_the_seed_chooses_what_is_held_out() -> None:
    found = load_pictures(CONFIG)
    assert load_pictures(CONFIG).hash == found.hash
    assert load_pictures(replace(CONFIG, seed=1)).hash != found.hash
    with pytest.raises(UserError, match="data digits: no test picture is left"):
        load_pictures(replace(CONFIG, test_size=0))


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # makes its import fail
    with pytest.raises(UserError) as caught:
        load_pictures(CONFIG)
    assert str(caught.value) == "data=digits needs scikit-learn: pip install 'gantext[digits]'"
