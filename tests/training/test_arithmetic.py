"""TF32 and the same numbers each time: switches of a GPU, set around steps."""

import os
from collections.abc import Iterator

import pytest
import torch

from gantext.config.compose import compose
from gantext.training.arithmetic import FIXED, WORKSPACE, arithmetic, said

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
Switches = tuple[bool, bool, bool]


def switches() -> Switches:
    """TF32 of products, of cuDNN, and the same numbers each time."""
    products, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    return products, cudnn, torch.are_deterministic_algorithms_enabled()


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(WORKSPACE, "")
    monkeypatch.delenv(WORKSPACE)
    before = switches()
    yield
    assert switches() == before == (False, True, False)


@pytest.mark.parametrize(
    ("words", "wanted", "log"),
    [
        ([], (True, True, False), " (TF32)"),
        (["tf32=cudnn"], (False, True, False), " (TF32 of cuDNN)"),
        (["tf32=none"], (False, False, False), ""),
        (["deterministic=true"], (False, False, True), " (deterministic)"),
    ],
)
def test_a_step_computes_as_the_settings_say(words: list[str], wanted: Switches, log: str) -> None:
    """On a GPU alone; also where it fails, all is as before."""
    settings = compose(words)
    with arithmetic(settings, CPU):
        assert switches() == (False, True, False)
    with pytest.raises(KeyError), arithmetic(settings, CUDA):
        assert switches() == wanted
        raise KeyError
    assert os.environ.get(WORKSPACE) == (FIXED if wanted[2] else None)
    assert said(settings, CUDA) == log and said(settings, CPU) == ""
