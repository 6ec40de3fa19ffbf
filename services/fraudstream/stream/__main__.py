"""``python -m fraudstream.stream``: run the scoring job until SIGTERM."""

from __future__ import annotations

import sys

from fraudstream.core.process.environment import adopt
from fraudstream.spark.job import Job, run_job


def _load() -> Job:
    from fraudstream.stream.job import run, session_options

    return run, session_options


if __name__ == "__main__":
    adopt()
    sys.exit(run_job("stream", ("kafka", "scoring"), _load))
