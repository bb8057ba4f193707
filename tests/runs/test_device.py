"""The kind of device is known without torch where there is the CPU alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from gantext.config.settings import Device
from gantext.runs import device
from gantext.runs.device import device_type


def test_torch_is_asked_only_where_there_may_be_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "DEVICES", tmp_path)
    monkeypatch.setattr(device, "best_device", lambda _: SimpleNamespace(type="cuda"))
    monkeypatch.setattr(device, "sys", SimpleNamespace(modules={}, platform="linux"))
    (tmp_path / "nvme0").touch()  # a disk
    assert device_type(Device.auto) == device_type(Device.cpu) == "cpu"
    assert device_type(Device.cuda) == "cuda"
    (tmp_path / "nvidia0").touch()
    assert device_type(Device.auto) == "cuda" and device_type(Device.cpu) == "cpu"
    (tmp_path / "nvidia0").unlink()
    for loaded, platform in ({"torch": 1}, "linux"), ({}, "darwin"):
        monkeypatch.setattr(device, "sys", SimpleNamespace(modules=loaded, platform=platform))
        assert device_type(Device.auto) == "cuda"
