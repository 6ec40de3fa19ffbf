"""The demo completes in environments that other programs, companies and hardened machines make.

`docs/how-to/operations.md` has the table.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudstream.runtime.parts import artifacts
from tests.system.conftest import Fraudstream, new_fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

DEMO = ("demo", "--events", "100", "--history", "2000", "--algorithm", "xgboost", "--exit")
# Nothing listens there: whatever goes through it fails.
NO_PROXY_THERE = "http://127.0.0.1:9"
PROXIES = {
    **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), NO_PROXY_THERE),
    "all_proxy": "socks5://127.0.0.1:9",
    "no_proxy": "[::1],fe80::/10,*.corp.example",
    "NO_PROXY": "",
    "SSL_CERT_FILE": "/nowhere/ca.pem",
    "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
}
OTHER_PROGRAMS = {
    "SPARK_HOME": "/opt/spark-3.5.1",
    "SPARK_CONF_DIR": "/nowhere/conf",
    "SPARK_REMOTE": "sc://nowhere",
    "PYSPARK_PYTHON": "/usr/bin/python3",
    "PYSPARK_DRIVER_PYTHON": "jupyter",
    "PYSPARK_SUBMIT_ARGS": "--packages org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.1 pyspark-shell",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "latin-1",
    "JAVA_TOOL_OPTIONS": "-Dfile.encoding=ISO-8859-1",
    "_JAVA_OPTIONS": "-Xmx16m",
    "HADOOP_CONF_DIR": "/nowhere",
    "KAFKA_OPTS": "-javaagent:/nowhere.jar",
    "MLFLOW_TRACKING_URI": "databricks",
    "MLFLOW_RUN_ID": "x",
    "UVICORN_PORT": "1",
    "WEB_CONCURRENCY": "7",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "BASH_ENV": "/nowhere/profile",
}
ODD_FOLDER = "données José/Doe, Jane/50%25 #1/o'neil (1)/a$b;c!d=e&f[1]{2}/q\\r\"s"


def assert_complete(summary: dict[str, Any]) -> None:
    assert summary["complete"] is True
    assert (summary["produced"], summary["scored"], summary["stored"]) == (100, 100, 100)


def test_another_programs_variables_a_proxy_odd_folders_another_language_and_time_zone(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "pyspark.py").write_text("raise ImportError('another PySpark')", "ascii")
    folder = tmp_path / ODD_FOLDER
    folder.mkdir(parents=True)
    fraudstream = new_fraudstream(folder)
    fraudstream.variables |= PROXIES | OTHER_PROGRAMS | {"PYTHONPATH": str(other)}
    fraudstream.variables |= {"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"}
    assert_complete(fraudstream.json(*DEMO))
    # A second start finds what the first one kept.
    fraudstream.run("up", "-d")
    assert fraudstream.json("status")["all_ready"] is True
    fraudstream.run("down")
    fraudstream.run("reset", "--yes")
    assert [str(path.relative_to(folder)) for path in folder.rglob("*")] == []
    beside = [path for path in tmp_path.rglob("*") if path != folder and path not in folder.parents]
    assert beside == []


def test_a_user_without_a_name_without_a_home_and_with_hardened_mounts(tmp_path: Path) -> None:
    user = 54321
    if sys.platform != "linux" or os.getuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("only root on Linux can take another user's number and mount /tmp anew")
    if Path(sys.executable).is_relative_to("/tmp"):  # noqa: S108 - where this clone may be
        pytest.skip("this clone is below /tmp, over which a folder without execution would be mounted")
    if not all(folder.stat().st_mode & 0o001 for folder in Path(sys.prefix).parents):
        pytest.skip("this clone is in a folder that others may not enter, which no capability hides from access(2)")
    # Not below /tmp, over which the folder without execution is mounted.
    folder = Path("/var/tmp") / f"fraudstream-{os.getpid()}"  # noqa: S108 - made for this user alone
    folder.mkdir(mode=0o700)
    os.chown(folder, user, user)
    # The capability stands for a clone and a cache that are readable for all.
    capabilities = "+dac_override,+dac_read_search"
    script = 'mount -t tmpfs -o noexec,mode=1777,size=64m none /tmp && exec "$@"'
    other_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    other_user += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}", "env", "-i"]
    variables = new_fraudstream(folder).variables | {
        "PATH": os.environ["PATH"],
        artifacts.CACHE_VARIABLE: str(artifacts.cache_dir()),
    }
    mounts = ["unshare", "-m", "--propagation", "private", "bash", "-c", script, "mounts"]
    words = [f"{name}={value}" for name, value in variables.items()]
    command = [*mounts, *other_user, *words, sys.executable, "-m", "fraudstream.runtime", *DEMO, "--json"]
    if subprocess.run([*mounts, "true"], capture_output=True, check=False).returncode:
        shutil.rmtree(folder)
        pytest.skip("this container may not mount")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=800, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        assert_complete(json.loads(done.stdout))
        assert Fraudstream(folder, variables).settings.data_dir.joinpath("home").is_dir()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
