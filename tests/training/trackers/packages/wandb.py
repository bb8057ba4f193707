"""Stands in for wandb, and for trackio by another name: keeps what runs tell it, by their ids."""

import types
from typing import Any

STORES: dict[str, list[tuple[str, int, dict[str, Any]]]] = {}
CONFIGS: dict[str, Any] = {}
OPENED: list[dict[str, Any]] = []
ENDS: list[Any] = []
FAILING: set[str] = set()  # of init, log and finish


def _may_fail(call: str) -> None:
    if call in FAILING:
        raise ConnectionError(f"no route to the server\nfor {call}")


class Settings:
    mode = "online"

    def __init__(self, **said: Any) -> None:
        self.said = said


def setup() -> types.SimpleNamespace:
    return types.SimpleNamespace(settings=Settings())


def login(prompt: bool, verify: bool) -> bool:
    return not (prompt or verify)


class Config(dict[str, Any]):
    def update(self, values: dict[str, Any], allow_val_change: bool) -> None:
        assert allow_val_change
        super().update(values)


class Run:
    dir, url, settings = "wandb/run/files", "https://wandb.example/run", Settings()

    def __init__(self, identity: str) -> None:
        self.id = self.name = identity
        self.resumed, self.config = identity in STORES, CONFIGS.setdefault(identity, Config())
        self.told = STORES.setdefault(identity, [])
        self.step = self._next_step = max((step for _, step, _ in self.told), default=-1) + 1
        self.summary: dict[str, Any] = {}

    def log(self, values: dict[str, Any], step: int) -> None:
        _may_fail("log")
        print("a package that prints")
        kind = "row" if all(isinstance(value, float) for value in values.values()) else "look"
        self.told.append((kind, step, values))

    def finish(self, exit_code: int = 0) -> None:
        _may_fail("finish")
        ENDS.append((exit_code, self.summary))


def init(**said: Any) -> Run:
    _may_fail("init")
    OPENED.append(said)
    new = said["name"] if __name__ == "trackio" else f"id-{len(STORES)}"
    global run
    run = Run(said.get("id") or new)
    return run


def finish() -> None:
    run.finish()


def Table(columns: list[str], data: list[list[str]]) -> list[list[str]]:
    return data


def Image(pixels: Any) -> Any:
    return pixels.shape
