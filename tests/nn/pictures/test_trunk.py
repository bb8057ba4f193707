"""The trunk of networks that read pictures: what it keeps, what it pools."""

import pytest
import torch
import torch.nn.functional as F

from gantext.errors import UserError
from gantext.nn.pictures.layers import Init, Norm, initialise
from gantext.nn.pictures.trunk import PictureTrunk


def trunk(norm: Norm = Norm.none) -> PictureTrunk:
    found = PictureTrunk(3, 16, (4, 8), norm)
    initialise(found, Init.kaiming, torch.Generator().manual_seed(1))
    return found


def test_it_is_the_chain_that_it_says() -> None:
    """16 -> 8 with 4 channels, once more at 8, -> 4 with 8; pooled: 2 * (4 + 8) values."""
    model = trunk()
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)]
    fine = x
    for layer, stride in zip(layers[:2], (2, 1), strict=True):
        fine = F.leaky_relu(F.conv2d(fine, layer.weight, layer.bias, stride, 1), 0.2)
    last = F.leaky_relu(F.conv2d(fine, layers[2].weight, layers[2].bias, 2, 1), 0.2)
    places, pooled = model(x)
    assert places.shape == (2, model.places) and model.places == 8 * 4 * 4
    torch.testing.assert_close(places, last.flatten(1))
    wanted = [getattr(m.flatten(2), name)(2) for m in (fine, last) for name in ("amax", "mean")]
    assert pooled.shape == (2, model.pooled) and model.pooled == 24
    torch.testing.assert_close(pooled, torch.cat(wanted, 1))


@pytest.mark.parametrize("norm", [Norm.none, Norm.group])
def test_a_picture_is_read_by_itself(norm: Norm) -> None:
    model = trunk(norm)
    x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    for whole, alone in zip(model(x), model(x[1:2]), strict=True):
        torch.testing.assert_close(whole[1:2], alone)


@pytest.mark.parametrize(("size", "widths"), [(16, (4,)), (12, (4, 4, 4)), (2, (4, 4))])
def test_what_cannot_be_halved_is_refused(size: int, widths: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=f"^channels: {len(widths)} convolutions of a picture"):
        PictureTrunk(3, size, widths, Norm.none)
    with pytest.raises(UserError, match=r"^model\.widths: 1 conv"):
        PictureTrunk(3, 16, (4,), Norm.none, shrinking=False, key="model.widths")


def test_where_only_the_last_convolution_halves_the_rest_keep_its_size() -> None:
    """Three of size 3 and stride 1, the last of size 4 and stride 2: 6 -> 3, as 12 -> 6 would."""
    model = PictureTrunk(3, 6, (4, 8), Norm.batch, shrinking=False)
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)]
    found = [(c.in_channels, c.out_channels, c.kernel_size, c.stride, c.padding) for c in layers]
    assert found == [
        (3, 4, (3, 3), (1, 1), (1, 1)),
        (4, 4, (3, 3), (1, 1), (1, 1)),
        (4, 8, (4, 4), (2, 2), (1, 1)),
    ]
    norms = [norm for norm in model.modules() if isinstance(norm, torch.nn.BatchNorm2d)]
    assert [norm.eps for norm in norms] == [1e-5] * 3
    slopes = [
        each.negative_slope for each in model.modules() if isinstance(each, torch.nn.LeakyReLU)
    ]
    assert slopes == [0.2] * 3
    places, pooled = model(torch.zeros(1, 3, 6, 6))
    assert places.shape[1] == model.places == 8 * 9 and pooled.shape[1] == model.pooled == 24
    deep = PictureTrunk(3, 16, (4, 8, 16), Norm.none)
    assert (deep.places, deep.pooled) == (16 * 4, 2 * (8 + 16))
