"""The process that Spark forks its Python workers from."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fraudstream.spark.workers import MODULES_VARIABLE
from fraudstream.store.job import WORKER_MODULES as STORE
from fraudstream.stream.job import WORKER_MODULES as STREAM

pytestmark = pytest.mark.timeless


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("modules", [(), STORE, STREAM])
def test_it_has_one_thread_so_that_it_can_be_forked(modules: tuple[str, ...]) -> None:
    code = (
        "import os, sys\nfrom fraudstream.spark.workers import prepare\nprepare()\n"
        "print(len(os.listdir('/proc/self/task')), *({'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    environment = os.environ | {MODULES_VARIABLE: ",".join(modules)}
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "numpy"]
