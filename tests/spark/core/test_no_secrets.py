"""What Spark's own process says of a query holds no sign-in: not its plan, not its failure, not its log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.runtime.parts.local import spark_job_environment
from tests.azure import AZURE, COSMOS_KEY, SAS_KEY

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

SCRIPT = """
import sys
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.kafka.clients import spark_options, spark_sink_options
from fraudstream.core.output.logs import configure_logging
from fraudstream.spark.session import spark_session
import structlog
settings = load_settings()
configure_logging("stream")
spark = spark_session(settings, "secrets")
if len(sys.argv) > 1:
    spark.sparkContext.setLogLevel(sys.argv[1])
options = spark_sink_options(settings) | {"kafka.request.timeout.ms": "1000", "kafka.default.api.timeout.ms": "1000",
    "kafka.max.block.ms": "1000", "kafka.delivery.timeout.ms": "2000", "fetchOffset.numRetries": "1"}
rows = spark.readStream.format("kafka").options(**options).option("subscribe", "t").load()
print(rows._jdf.queryExecution().toString())
rate = spark.readStream.format("rate").option("rowsPerSecond", 100).load().selectExpr("CAST(value AS STRING) AS value")
for name, source, broken in (
    ("source", rows, options),
    ("sink", rate, options),
    ("jaas", rate, options | {"kafka.sasl.jaas.config": options["kafka.sasl.jaas.config"].replace(";", "", 1)[:-1]}),
    ("mechanism", rate, options | {"kafka.sasl.mechanism": "WRONG"}),
):
    try:
        query = (source.writeStream.format("kafka").options(**broken).option("topic", "t")
            .option("checkpointLocation", f"{settings.data_dir}/checkpoints/{name}").start())
        print(query.awaitTermination(60), query.exception())
    except Exception as error:
        print("failed", name, error)
        structlog.get_logger().exception("query_failed", reason=str(error))

def fail(rows):
    from fraudstream.core.configuration.settings import load_settings
    raise ValueError("header " + load_settings().scoring_key.get_secret_value())

try:
    spark.range(2).rdd.foreachPartition(fail)
except Exception as error:
    print("failed worker", error)
"""


@pytest.mark.parametrize("level", ["ERROR", "INFO"])
def test_neither_plan_nor_failure_nor_log_shows_the_sign_in(tmp_path: Path, level: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")}
    values = AZURE | {"kafka_bootstrap_servers": "127.0.0.1:9", "data_dir": tmp_path}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, level],
        env=environment | spark_job_environment(load_settings(**values)),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.stdout.count("failed") >= 4, said[-3_000:]
    assert "failed worker" in done.stdout
    for secret in (SAS_KEY, COSMOS_KEY, AZURE["scoring_key"]):
        lines = [line for line in said.splitlines() if secret in line or secret[:12] in line]
        assert lines == []
