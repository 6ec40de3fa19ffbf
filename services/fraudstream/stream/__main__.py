"""``python -m fraudstream.stream``: run the scoring job until SIGTERM."""

from __future__ import annotations

import sys
from functools import partial

from fraudstream.core.process.environment import adopt
from fraudstream.spark.job import Job, run_job


def _load() -> Job:
    from fraudstream.stream.query import Compiling

    # Beside the start of Spark, which takes longer.
    compiling = Compiling()
    from fraudstream.stream.job import run, session_options

    return partial(run, compiling=compiling), session_options


if __name__ == "__main__":
    adopt()
    sys.exit(run_job("stream", ("kafka", "scoring"), _load))
