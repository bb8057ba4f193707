"""Latent vectors: how they are decoded, which sentences are chosen, the way between two."""

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.inference.interpolation import _unpadded, between, interpolate
from gantext.inference.latent import Decoding, chosen
from gantext.inference.latent_plane import _projected, plane_of, tsne, values_of
from gantext.inference.options import How
from gantext.inference.projection import principal_directions
from gantext.inference.reconstruction import reconstruct_file, reconstruct_lines
from gantext.nn.latent import slerp


def no_latent() -> Any:
    """A run without a latent variable; all else of it is never asked for."""
    run = SimpleNamespace(path=SimpleNamespace(name="r"))
    settings = SimpleNamespace(model=SimpleNamespace(name="m"))
    return SimpleNamespace(run=run, settings=settings, algorithm=None)


def test_a_way_of_decoding_says_the_settings_that_matter_to_it() -> None:
    assert Decoding() == Decoding(How.greedy, beam=5, temperature=1.0, seed=0)
    assert Decoding().signature() == {"how": "greedy"}
    assert Decoding(How.beam).signature() == {"how": "beam", "beam": 5}
    sampled = {"how": "sample", "temperature": 0.5, "decode_seed": 3}
    assert Decoding(How.sample, temperature=0.5, seed=3).signature() == sampled


def test_sentences_are_chosen_by_the_seed_and_stay_in_order() -> None:
    split = Split(Tokens.of([[number] for number in range(4, 54)]), [""] * 50)
    found = [chosen(split, 9, seed)[:, 0].tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] == sorted({*found[0]}) != found[2] and len(found[0]) == 9
    assert chosen(split, 99, 0)[:, 0].tolist() == list(range(4, 54))


def test_what_has_no_latent_variable_is_refused_before_anything_is_read(tmp_path: Any) -> None:
    for work in (
        lambda: reconstruct_file(no_latent(), tmp_path / "nowhere", Decoding()),
        lambda: reconstruct_lines(no_latent(), [" "], Decoding()),
        lambda: plane_of(no_latent()),
        lambda: interpolate(no_latent(), ["a", "b"], 2, False, Decoding()),
    ):
        with pytest.raises(UserError, match="r: model=m has no latent variable"):
            work()
    with pytest.raises(UserError, match="--steps 1: at least 2"):
        interpolate(no_latent(), ["a", "b"], 1, False, Decoding())


def test_the_way_is_straight_or_along_the_arc() -> None:
    first, second = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    assert between(first, second, 0.25, False).tolist() == [[1.5, 1.0]]
    arc = between(first, second, 0.25, True)
    assert torch.equal(arc, slerp(first, second, 0.25)) and arc.tolist() != [[1.5, 1.0]]
    assert _unpadded([4, 5, 2, 0, 0]) == [4, 5, 2]


def test_points_are_those_of_the_principal_components() -> None:
    """Squares of 4 and 4 along the first axis, of 1 and 1 along the second: 8 and 2 of 10."""
    means = np.array([[7.0, 1, 5], [3, 1, 5], [5, 2, 5], [5, 0, 5]])
    points, axes = _projected(means, "pca", 0)
    assert points == pytest.approx(np.array([[-2, 0], [2, 0], [0, 1], [0, -1]]), abs=1e-9) or (
        points == pytest.approx(np.array([[-2, 0], [2, 0], [0, -1], [0, 1]]), abs=1e-9)
    )
    assert axes == ("posterior means: PC 1 (80% of the variance)", "PC 2 (20% of the variance)")
    with np.errstate(all="raise"):
        assert not principal_directions(np.zeros((3, 2)))[0].any()
    _, shares = principal_directions(np.diag([1.0, np.sqrt(1.5e-12)]))
    assert shares == pytest.approx((1, 1.5e-12))
    assert principal_directions(np.diag([1.0, np.sqrt(0.5e-12)]))[1][1] == 0


@pytest.mark.parametrize(("size", "perplexity"), [(20, 19 / 3), (200, 30.0)])
def test_t_sne_is_seeded_and_starts_from_the_components(
    size: int, perplexity: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, threads = list[dict[str, Any]](), list[int]()

    def made(**how: Any) -> Any:
        asked.append(how)
        return SimpleNamespace(fit_transform=lambda means: means[:, :2].astype(np.float32))

    def limited(count: int) -> Any:
        threads.append(count)
        return nullcontext()

    monkeypatch.setitem(sys.modules, "sklearn.manifold", SimpleNamespace(TSNE=made))
    monkeypatch.setitem(sys.modules, "threadpoolctl", SimpleNamespace(threadpool_limits=limited))
    found = tsne(np.ones((size, 3)), 7)
    assert found.shape == (size, 2) and found.dtype == np.float64 and threads == [1]
    assert asked == [{"perplexity": perplexity, "init": "pca", "random_state": 7}]


def test_a_property_that_the_data_has_not_got_is_refused() -> None:
    trained: Any = SimpleNamespace(settings=SimpleNamespace(data=None))
    assert values_of([["a"], []], "length", trained) == [1, 0]
    with pytest.raises(UserError, match="needs a run on data=scenes"):
        values_of([["a"]], "shape", trained)
