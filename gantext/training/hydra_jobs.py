"""The function of a sweep that Hydra's launchers call, which pass it on by its name."""

import math

from gantext.config import schema
from gantext.config.compose import JobConfig, output_folder, override_words, user_folder
from gantext.errors import UserError
from gantext.runs.sweep import SweepDir
from gantext.training import jobs
from gantext.training.sweep_jobs import audience_of, ready, run_job, store_failure


def sweep_job(cfg: JobConfig) -> float | None:
    """The function that Hydra's launchers call: the same job, planned now where it is not yet.

    Those of a sweeper that looks for the best are not known before.
    """
    folder = output_folder()
    job = SweepDir(folder.parent).job(folder.name)
    audience = audience_of(job)
    if job.planned is None:
        origin = jobs.origin_of(override_words(), user_folder())
        try:
            settings = ready(schema.typed(cfg), 1)
            job.plan(origin["overrides"], origin["config_dir"], settings)
        except UserError as error:
            store_failure(job, audience, str(error))
            return math.nan
    return run_job(job, audience, mark=True)
