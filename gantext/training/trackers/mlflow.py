"""MLflow: the store of MLFLOW_TRACKING_URI, or its own default, a database where one stands."""

import importlib
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from gantext.training.trackers.contract import PROJECT, Opening

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "mlflow"
EXTRA = "mlflow"
MARK = "gantext.run"  # a tag: of which run of ours it is
TEXT = 500  # letters of a parameter; older servers take no more
AT_ONCE = 100  # parameters, as many as a server takes
ENDS = {"finished": "FINISHED", "stopped": "KILLED"}
# A server that is gone is given up after some seconds rather than many minutes.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


def open_sink(opening: Opening) -> "Mlflow":
    """Go on with the run of the id where it is this one's, or begin one."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    mlflow = importlib.import_module(PACKAGE)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    client = mlflow.MlflowClient()
    found = None if opening.id is None else _own(mlflow, client, opening)
    if found is not None:
        return Mlflow(mlflow, client, found, _last_step(client, found))
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    run = client.create_run(number, run_name=opening.name, tags={MARK: opening.mark})
    values = iter(opening.settings.items())
    while part := list(islice(values, AT_ONCE)):
        params = [mlflow.entities.Param(key, str(value)[:TEXT]) for key, value in part]
        client.log_batch(run.info.run_id, params=params)
    return Mlflow(mlflow, client, run.info.run_id, -1)


def _own(mlflow: Any, client: Any, opening: Opening) -> str | None:
    """The id of the opening; None where the store has none of it, or another run has it."""
    try:
        run = client.get_run(opening.id)
    except mlflow.exceptions.MlflowException:
        return None
    if run.data.tags.get(MARK) != opening.mark:
        return None
    client.update_run(opening.id, status="RUNNING")
    return opening.id


def _last_step(client: Any, identity: str) -> int:
    return max(_steps(client, identity), default=-1)


def _steps(client: Any, identity: str) -> Iterator[int]:
    for key in client.get_run(identity).data.metrics:
        if not key.startswith("final/"):
            yield max(one.step for one in client.get_metric_history(identity, key))


class Mlflow:
    """Tells a run of MLflow; see `Sink`."""

    def __init__(self, package: Any, client: Any, identity: str, last: int) -> None:
        self._package, self._client = package, client
        self.id, self.last, self._total = identity, last, last
        self.place: str = package.get_tracking_uri()

    def row(self, metrics: Mapping[str, float], total: int) -> None:
        """See `Sink`."""
        self._total, now = total, int(time.time() * 1000)
        made = self._package.entities.Metric
        found = [made(key, value, now, total) for key, value in metrics.items()]
        self._client.log_batch(self.id, metrics=found)

    def text(self, name: str, lines: Sequence[str], total: int) -> None:
        """See `Sink`."""
        text = "".join(f"{line}\n" for line in lines)
        self._client.log_text(self.id, text, f"{name}/{total:09d}.txt")

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """See `Sink`."""
        self._client.log_image(self.id, pixels, artifact_file=f"{name}/{total:09d}.png")

    def close(self, status: str, scores: Mapping[str, float]) -> None:
        """See `Sink`."""
        self._client.set_tag(self.id, "status", status)
        if self._total > self.last:  # else they were told before
            self.row({f"final/{name}": value for name, value in scores.items()}, self._total)
        self._client.set_terminated(self.id, status=ENDS.get(status, "FAILED"))
