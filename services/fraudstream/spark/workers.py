"""``python -m fraudstream.spark.workers pyspark.worker``: what Spark forks its Python workers from.

PySpark's own daemon forks first and lets each worker import everything by itself, because a process with threads must
not be forked and some libraries start threads when they are imported. This one imports beforehand what starts none, so
that a worker begins within milliseconds and shares those pages with the others.
"""

from __future__ import annotations

import gc
import importlib
import os

# Without pandas and pyarrow, which start threads.
IMPORTED = (
    "pyspark.worker",
    "numpy",
    "fraudstream.core.documents.client",
    "fraudstream.core.output.logs",
    "fraudstream.core.kafka.progress",
    "fraudstream.core.configuration.settings",
    "fraudstream.core.documents.throttling",
)
# Further modules, comma separated, that the job behind the workers has need of.
MODULES_VARIABLE = "FRAUDSTREAM_WORKER_MODULES"


def prepare() -> None:
    """Import what the workers have in common; leaves the process with its one thread."""
    # Else numpy's library starts one thread a core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    further = os.environ.get(MODULES_VARIABLE, "")
    for name in (*IMPORTED, *filter(None, further.split(","))):
        importlib.import_module(name)
    # A collection in a worker would write to every shared page.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    prepare()
    from pyspark.daemon import manager

    manager()
