"""Pictures of files as a model reads them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.errors import UserError
from gantext.inference.given import READERS
from gantext.runs.kinds import PICTURES
from tests.cli.test_classify import idx


def run_of(channels: int) -> Any:
    return SimpleNamespace(run=SimpleNamespace(info={"size": 4, "channels": channels}))


def test_pictures_of_an_idx_file_are_grey_and_numbered(tmp_path: Path) -> None:
    """(M, 1, S, S), black -1 and white 1."""
    pictures = np.random.default_rng(1).integers(0, 256, (3, 4, 4)).astype(np.uint8)
    pictures[0, 0] = 0, 255, 51, 204
    (tmp_path / "digits").write_bytes(idx(pictures))
    found = READERS[PICTURES](run_of(1), tmp_path / "digits", [])
    assert (found.place, [*found.places], [*found.read]) == ("picture", [1, 2, 3], [0, 1, 2])
    assert found.given.shape == (3, 1, 4, 4)
    torch.testing.assert_close(found.given[0, 0, 0], torch.tensor([-1.0, 1.0, -0.6, 0.6]))
    wanted = torch.from_numpy(pictures).float() / 127.5 - 1
    torch.testing.assert_close(found.given[:, 0], wanted)
    with pytest.raises(UserError, match="grey pictures of 4 x 4, and the run takes"):
        READERS[PICTURES](run_of(3), tmp_path / "digits", [])
