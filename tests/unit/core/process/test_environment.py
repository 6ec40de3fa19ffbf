"""What reaches our processes of the environment that happens to be there."""

from __future__ import annotations

import os
import random
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fraudstream.core.process import environment

# Set-ups of other programs: each has stopped or diverted a process of ours, or can.
FOREIGN = {
    "SPARK_HOME": "/opt/spark-3.5.1",
    "SPARK_CONF_DIR": "/etc/spark/conf",
    "SPARK_LOCAL_DIRS": "/nowhere",
    "SPARK_REMOTE": "sc://elsewhere",
    "SPARK_API_MODE": "connect",
    "PYSPARK_PYTHON": "/usr/bin/python3",
    "PYSPARK_DRIVER_PYTHON": "jupyter",
    "PYSPARK_SUBMIT_ARGS": "--packages org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.1 pyspark-shell",
    "PYSPARK_PIN_THREAD": "false",
    "PYTHONPATH": "/opt/spark/python",
    "PYTHONHOME": "/opt/python",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONIOENCODING": "latin-1",
    "PYTHONINSPECT": "1",
    "JAVA_TOOL_OPTIONS": "-Dfile.encoding=ISO-8859-1",
    "_JAVA_OPTIONS": "-Xmx16m",
    "JDK_JAVA_OPTIONS": "-Xmx16m",
    "CLASSPATH": "/nowhere",
    "MLFLOW_TRACKING_URI": "databricks",
    "MLFLOW_REGISTRY_URI": "databricks-uc",
    "MLFLOW_RUN_ID": "x",
    "MLFLOW_EXPERIMENT_ID": "77",
    "MLFLOW_TRACKING_TOKEN": "t",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7",
    "HADOOP_CONF_DIR": "/etc/hadoop",
    "HADOOP_USER_NAME": "hdfs",
    "KAFKA_OPTS": "-javaagent:/nowhere.jar",
    "UVICORN_PORT": "1",
    "WEB_CONCURRENCY": "7",
    "DASH_URL_BASE_PATHNAME": "/x/",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "many",
    "KMP_AFFINITY": "x",
    "SSLKEYLOGFILE": "/nowhere/keys",
    "BASH_ENV": "/nowhere/profile",
    "CDPATH": "/nowhere",
    "REQUEST_METHOD": "GET",
    "LC_NUMERIC": "de_DE.UTF-8",
    "LANGUAGE": "tr",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_the_set_up_of_another_program_does_not_pass(name: str) -> None:
    assert environment.made({name: FOREIGN[name]}).get(name) != FOREIGN[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRAUDSTREAM_KAFKA_PORT", "1"),
        ("AZURE_CLIENT_ID", "x"),
        ("IDENTITY_ENDPOINT", "http://x"),
        ("MSI_SECRET", "x"),
        ("JAVA_HOME", "/opt/java"),
        ("TZ", "Asia/Kathmandu"),
        ("PATH", "/x"),
        ("NO_COLOR", "1"),
        ("OMP_NUM_THREADS", "4"),
        ("PYTHONUNBUFFERED", "1"),
        ("LD_LIBRARY_PATH", "/x"),
    ],
)
def test_what_is_ours_or_the_machines_passes(name: str, value: str) -> None:
    assert environment.made({name: value})[name] == value


def test_our_own_variables_pass_in_any_letters() -> None:
    variables = environment.made({"fraudstream_kafka_port": "1", "Fraudstream_Mongo_Port": "2"})
    assert (variables["FRAUDSTREAM_KAFKA_PORT"], variables["FRAUDSTREAM_MONGO_PORT"]) == ("1", "2")
    assert not {"fraudstream_kafka_port", "Fraudstream_Mongo_Port"} & variables.keys()
    both = {"fraudstream_kafka_port": "1", "FRAUDSTREAM_KAFKA_PORT": "2"}
    for given in (both, dict(reversed(both.items()))):
        assert environment.made(given)["FRAUDSTREAM_KAFKA_PORT"] == "2"
    assert environment.made(both | {"FRAUDSTREAM_KAFKA_PORT": ""})["FRAUDSTREAM_KAFKA_PORT"] == "1"


def test_the_rules_that_our_own_variables_make_hold_in_any_letters(tmp_path: Path) -> None:
    variables = environment.made({"fraudstream_data_dir": str(tmp_path), "HOME": "/nowhere"})
    assert variables["HOME"] == str(tmp_path / "home")
    cluster = {"SPARK_CONF_DIR": "/c", "fraudstream_spark_master": "spark://host:7077"}
    assert environment.made(cluster)["SPARK_CONF_DIR"] == "/c"
    assert Path(environment.made({"fraudstream_cache_dir": "x"})["FRAUDSTREAM_CACHE_DIR"]).is_absolute()


def test_how_long_mlflow_waits_is_said_by_our_own_variable() -> None:
    ours = {"FRAUDSTREAM_MLFLOW_TIMEOUT_SECONDS": "60", "MLFLOW_HTTP_REQUEST_TIMEOUT": "0"}
    assert environment.made(ours)["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "60"
    for wrong in ("0", "a minute", "-1", "1.5", "9" * 10):
        variables = environment.made(ours | {"FRAUDSTREAM_MLFLOW_TIMEOUT_SECONDS": wrong})
        assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in variables


@pytest.mark.parametrize("name", ["COLUMNS", "LINES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"])
def test_a_number_that_is_none_does_not_pass(name: str) -> None:
    for wrong in ("0", "00", "many", "-1", "²", "٣", "1 ", "9" * 5000):
        assert name not in environment.made({name: wrong})
    assert environment.made({name: "80"})[name] == "80"


def test_a_clusters_driver_keeps_the_clusters_configuration() -> None:
    given = {"SPARK_CONF_DIR": "/c", "HADOOP_CONF_DIR": "/h", "KUBERNETES_SERVICE_HOST": "k", "PYSPARK_PYTHON": "/p"}
    assert not given.keys() & environment.made(given).keys()
    assert given.items() <= environment.made(given | {"FRAUDSTREAM_SPARK_MASTER": "spark://host:7077"}).items()


def test_of_the_module_path_only_what_leads_to_this_product_passes(tmp_path: Path) -> None:
    (tmp_path / "ours" / "fraudstream").mkdir(parents=True)
    (tmp_path / "theirs" / "pyspark").mkdir(parents=True)
    given = os.pathsep.join([str(tmp_path / "theirs"), str(tmp_path / "ours"), ""])
    assert environment.made({"PYTHONPATH": given})["PYTHONPATH"] == str(tmp_path / "ours")


def test_texts_are_utf_8_whatever_the_language() -> None:
    for given in ({}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "LANG": "C"}, {"LC_CTYPE": "de_DE.ISO-8859-1"}):
        variables = environment.made(given)
        assert "utf" in variables["LC_ALL"].lower()
        assert variables["PYTHONUTF8"] == "1"


def test_a_module_path_that_cannot_be_looked_at_does_not_pass() -> None:
    assert "PYTHONPATH" not in environment.made({"PYTHONPATH": f"/{'x' * 300}{os.pathsep}/root/lib\x7f"})


def test_java_is_told_what_it_would_ask_the_system_for() -> None:
    options = environment.java_properties({"HOME": "/h é", "USER": "u", "TMPDIR": "/t"})
    assert {"-Duser.home=/h é", "-Duser.name=u", "-Djava.io.tmpdir=/t", "-Duser.language=en"} <= set(options)


def test_the_same_again_for_what_it_has_made(tmp_path: Path) -> None:
    chance = random.Random(13)
    names = [*FOREIGN, "HOME", "TMPDIR", "PATH", "http_proxy", "NO_PROXY", "LANG", "FRAUDSTREAM_BIND_HOST"]
    for _ in range(200):
        given = {name: "".join(chance.choices(string.printable[:94], k=6)) for name in chance.sample(names, 8)}
        given["FRAUDSTREAM_DATA_DIR"] = str(tmp_path)
        variables = environment.made(given)
        assert environment.made(variables) == variables


def started(given: Mapping[str, str], code: str, cwd: Path) -> str:
    """What a command of ours prints that starts with this environment, over and above PATH and HOME."""
    script = f"from fraudstream.core.process.environment import adopt\nadopt()\n{code}"
    command = [sys.executable, "-c", script]
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(command, env=base | given, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_command_starts_anew_where_the_environment_has_changed_its_python(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyspark.py").write_text("raise ImportError('another one')", "ascii")
    code = "import pyspark, sys; print(len(pyspark.__version__) > 2, sys.warnoptions, sys.flags.optimize)"
    given = {"PYTHONPATH": str(other), "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1"}
    assert started(given, code, tmp_path) == "True [] 0"


def test_a_command_tells_which_variables_it_left_out(tmp_path: Path) -> None:
    given = {"SPARK_HOME": "/opt/spark", "PYTHONPATH": "/nowhere", "LS_COLORS": "x", "HTTP_PROXY": "http://h:1"}
    code = (
        "from fraudstream.core.process.environment import left_out; import os; "
        "print(left_out(), 'SPARK_HOME' in os.environ)"
    )
    assert started(given, code, tmp_path) == "['PYTHONPATH', 'SPARK_HOME'] False"


def test_a_command_tells_which_variables_may_be_misspelt_ones_of_ours(tmp_path: Path) -> None:
    given = {"FRAUDSTREM_KAFKA_PORT": "secret", "fraud_stream_port": "1", "EDITOR": "vi", "STREAM": ""}
    given |= {"fraudstream_kafka_port": "1", "FRAUDSTREAM_KAFKA_PORT": "2", "fraudstream_mongo_port": "3"}
    code = (
        "from fraudstream.core.process.environment import alike; import os; "
        "print(alike(), 'secret' in os.environ.values())"
    )
    names = "['FRAUDSTREM_KAFKA_PORT', 'fraud_stream_port', 'fraudstream_kafka_port']"
    assert started(given, code, tmp_path) == f"{names} False"
    # Nor is it forgotten where the interpreter is started anew.
    assert started(given | {"PYTHONWARNINGS": "error"}, code, tmp_path) == f"{names} False"


def test_a_shell_that_completes_a_command_reaches_it_but_not_its_parts(tmp_path: Path) -> None:
    given = {"_FRAUDSTREAM_COMPLETE": "complete_bash", "COMP_WORDS": "fraudstream st", "_TYPER_COMPLETE_ARGS": "x"}
    code = (
        "from fraudstream.core.process import environment; import os; "
        "names = ('_FRAUDSTREAM_COMPLETE', 'COMP_WORDS', '_TYPER_COMPLETE_ARGS'); "
        "print([name in os.environ for name in names], [name in environment.made(os.environ) for name in names])"
    )
    assert started(given | {"PYTHONWARNINGS": "error"}, code, tmp_path) == "[True, True, True] [False, False, False]"


def test_a_process_that_spark_started_keeps_the_platforms_environment(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as gateway:
        given = {"PYSPARK_GATEWAY_PORT": str(gateway.getsockname()[1]), "PYSPARK_GATEWAY_SECRET": "s", "SPARK_X": "1"}
        assert started(given, "import os; print(os.environ.get('SPARK_X'))", tmp_path) == "1"
    # The port of a session that has ended long since is another program's leftover.
    assert started(given, "import os; print(os.environ.get('SPARK_X'))", tmp_path) == "None"


def test_the_environment_is_in_force_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", "/opt/spark")
    with environment.in_force({"PYSPARK_PYTHON": "/ours"}):
        assert "SPARK_HOME" not in os.environ
        assert os.environ["PYSPARK_PYTHON"] == "/ours"
        os.environ["SPARK_BUFFER_SIZE"] = "1"
    assert os.environ["SPARK_HOME"] == "/opt/spark"
    assert "PYSPARK_PYTHON" not in os.environ
    assert os.environ.pop("SPARK_BUFFER_SIZE") == "1"
