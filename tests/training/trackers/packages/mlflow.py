"""Stands in for mlflow: a store of runs in memory."""

import types
from typing import Any

RUNS: dict[str, Any] = {}
FILES: dict[str, str] = {}


def get_tracking_uri() -> str:
    return "memory:"


class MlflowException(Exception):
    pass


class Entity(types.SimpleNamespace):
    def __init__(self, key: str, value: Any, timestamp: int = 0, step: int = 0) -> None:
        super().__init__(key=key, value=value, timestamp=timestamp, step=step)


entities = types.SimpleNamespace(Metric=Entity, Param=Entity)
exceptions = types.SimpleNamespace(MlflowException=MlflowException)


class MlflowClient:
    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return name

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        info = types.SimpleNamespace(run_id=f"run{len(RUNS)}", status="RUNNING")
        data = types.SimpleNamespace(tags=tags, metrics={}, params={}, told=[])
        RUNS[info.run_id] = types.SimpleNamespace(info=info, data=data)
        return RUNS[info.run_id]

    def get_run(self, identity: str) -> Any:
        if identity not in RUNS:
            raise MlflowException("not found")
        return RUNS[identity]

    def update_run(self, identity: str, status: str) -> None:
        RUNS[identity].info.status = status

    set_terminated = update_run

    def log_batch(self, identity: str, metrics: Any = (), params: Any = ()) -> None:
        data = RUNS[identity].data
        assert len(params) <= 100
        data.params |= {one.key: one.value for one in params}
        data.metrics |= {one.key: one.value for one in metrics}
        data.told += metrics

    def get_metric_history(self, identity: str, key: str) -> list[Any]:
        return [one for one in RUNS[identity].data.told if one.key == key]

    def set_tag(self, identity: str, key: str, value: str) -> None:
        RUNS[identity].data.tags[key] = value

    def log_text(self, identity: str, text: str, place: str) -> None:
        FILES[place] = text

    def log_image(self, identity: str, pixels: Any, artifact_file: str) -> None:
        FILES[artifact_file] = str(pixels.shape)
