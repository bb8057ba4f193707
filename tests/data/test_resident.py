"""Splits that a GPU holds: the same batches, without a wait for them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gantext.data.batches import Batches
from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.data.gallery import PictureSplit, captioned
from gantext.data.resident import STEPS, ResidentPictures, ResidentText, resident
from gantext.data.vocabulary import PAD
from gantext.training.stepper import parts_of
from tests.pretended_gpu import counted, pretended_gpu

CUDA = torch.device("cuda")


def sentences() -> Split:
    rng = np.random.default_rng(1)
    rows = [[*rng.integers(4, 90, size).tolist(), 2] for size in (3, 1, 7, 2, 5, 4, 1)]
    return Split(Tokens.of(rows), [str(number) for number in range(7)])


def pictures() -> PictureSplit:
    drawn = np.random.default_rng(2).integers(0, 256, (7, 4, 4, 3), dtype=np.uint8)
    return captioned(drawn, sentences(), 9)


KINDS = [(sentences, ResidentText), (pictures, ResidentPictures)]


@pytest.mark.parametrize(("made", "kind"), KINDS)
def test_batches_are_those_of_the_split(
    made: Callable[[], Split | PictureSplit], kind: type
) -> None:
    """In three epochs, of any rows; on another device it is the split itself. Sentences have up to
    three columns of <pad> more, as far as there are any."""
    split = made()
    widths = {4, 8, split.tokens.longest} if isinstance(split, Split) else None
    assert resident(split, torch.device("cpu")) is split
    with pretended_gpu():
        held = resident(split, CUDA)
        assert type(held) is kind and len(held) == 7
        here, there = Batches(split, 3), Batches(held, 3)
        for rows in (2, 5, 3, 7, 4):
            wanted, found = here.next(rows), []
            assert not counted(lambda rows=rows, found=found: found.append(there.next(rows)))[1]
            for name, part in parts_of(found[0]).items():
                same = parts_of(wanted)[name]
                if widths:
                    assert part.shape[1] in widths and part.shape[1] - same.shape[1] < STEPS
                    same = F.pad(same, (0, part.shape[1] - same.shape[1]), value=PAD)
                assert part.is_cuda and part.dtype == same.dtype
                assert torch.equal(part.cpu(), same)


@pytest.mark.parametrize("made", [sentences, pictures])
def test_what_has_no_room_stays(
    made: Callable[[], Split | PictureSplit], monkeypatch: pytest.MonkeyPatch
) -> None:
    split = made()
    with pretended_gpu():
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (1000, 2**34))
        assert resident(split, CUDA) is split
