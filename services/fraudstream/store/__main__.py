"""``python -m fraudstream.store``: run the store job until SIGTERM."""

from __future__ import annotations

import sys

from fraudstream.core.process.environment import adopt
from fraudstream.spark.job import Job, run_job


def _load() -> Job:
    from fraudstream.store.job import run, session_options

    return run, session_options


if __name__ == "__main__":
    adopt()
    sys.exit(run_job("store", ("kafka", "mongo"), _load))
