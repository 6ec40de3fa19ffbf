"""What a query failed of decides what is done; the reason is the line that says most."""

from __future__ import annotations

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import CheckpointMisfit, StoreUnavailable
from fraudstream.spark.failures import failure_of, failure_reason

# Texts as Spark 4.2 gives them.
AHEAD = "[STREAM_FAILED] Query [id = 03a7, runId = 0e2e] terminated with exception: "
STAGE = (
    "Job aborted due to stage failure: Task 1 in stage 3.0 failed 1 times, most recent failure: "
    "Lost task 1.0 in stage 3.0 (TID 7) (localhost executor driver): "
)
LOST = f"""{AHEAD}Some data may have been lost because they are not available in Kafka any more;
either the data was aged out by Kafka or the topic may have been deleted before all the data in the
topic was processed.
If you don't want your streaming query to fail on such cases, set the source option failOnDataLoss to false.
Reason: Could not read records in offset [104, 167) for topic partition transactions-0
with consumer group spark-kafka-source-11355bed-executor. SQLSTATE: XXKST
=== Streaming Query ===
Identifier: scoring [id = 03a7]"""
OUT_OF_RANGE = (
    f"{AHEAD}{STAGE}org.apache.kafka.clients.consumer.OffsetOutOfRangeException: Fetch position FetchPosition"
    "{offset=106} is out of range for partition transactions-1\n\tat org.apache.kafka.x(FetchCollector.java:365)"
)
NO_TOPIC = (
    f"{AHEAD}org.apache.kafka.common.errors.UnknownTopicOrPartitionException: "
    "This server does not host this topic-partition. SQLSTATE: XXKST"
)
TOO_LARGE = (
    f"{AHEAD}{STAGE}org.apache.kafka.common.errors.RecordTooLargeException: The request included a message larger than "
    "the max message size the server will accept.\n\tat x"
)


def worker(line: str) -> str:
    """What Spark makes of the exception of a Python worker."""
    return f"""{AHEAD}{STAGE}org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/x/worker.py", line 1, in main
    process()
{line}
\tat org.apache.spark.x"""


PYTHON = worker("fraudstream.core.errors.ScoringUnavailable: http://127.0.0.1:8000/score gave no answer in 6 attempts.")


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            LOST,
            "misfit",
            "Records are gone from the topic before they were read: Could not read records in offset [104",
        ),
        (OUT_OF_RANGE, "misfit", "org.apache.kafka.clients.consumer.OffsetOutOfRangeException: Fetch position"),
        (NO_TOPIC, "away", "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server"),
        (TOO_LARGE, "record", "org.apache.kafka.common.errors.RecordTooLargeException: The request included"),
        (
            f"An error occurred while calling o9.save.\n: org.apache.SparkException: {STAGE}java.lang.X: odd\n\tat",
            "record",
            "java.lang.X: odd",
        ),
        (PYTHON, "away", "fraudstream.core.errors.ScoringUnavailable: http://127.0.0.1:8000/score gave no answer"),
        ("java.lang.IllegalStateException: fraudstream: no champion's trees at /x", "away", "java.lang.IllegalState"),
        (
            f"{STAGE}fraudstream.query.values.Unavailable: udf.own cannot be loaded: ModuleNotFoundError: x.\n\tat",
            "away",
            "fraudstream.query.values.Unavailable: udf.own cannot be loaded",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "session", "java.lang.OutOfMemoryError"),
        ("java.lang.IllegalStateException: Incomplete log file in the offset log", "misfit", "java.lang"),
        ("org.apache.kafka.common.errors.TimeoutException: Timeout of 60000ms expired", "away", "org.apache.kafka"),
        ("pymongo.errors.ServerSelectionTimeoutError: 127.0.0.1:27017: Connection refused", "away", "pymongo"),
        ("org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed", "away", "org.apache"),
        ("KafkaException: Received exception when fetching the next record from transactions-0", "record", "Kafka"),
        (
            f"{AHEAD}Multiple streaming queries are concurrently using file:/d/checkpoints/stream/offsets.",
            "away",
            "Multiple streaming queries are concurrently using",
        ),
        ("java.io.IOException: No space left on device", "away", "java.io.IOException"),
        ("java.lang.IllegalStateException: Incomplete log file in the offset commit log", "misfit", "java.lang"),
        (
            worker(
                "fraudstream.stream.scorers.ScoringFailed: http://127.0.0.1:8000/score gave no answer in 6 attempts."
            ),
            "away",
            "fraudstream.stream.scorers.ScoringFailed: http://127.0.0.1:8000/score",
        ),
        # What the store says of itself repeats the documents that it was sent.
        (
            worker(
                "pymongo.errors.BulkWriteError: batch op errors occurred, full error: {'writeErrors': [{'code': 11600, "
                "'op': {'note': 'STATE_STORE OutOfMemoryError'}}]}"
            ),
            "away",
            "pymongo.errors.BulkWriteError",
        ),
        (worker("pymongo.errors.ExecutionTimeout: Request timed out. Retries due to rate limiting"), "away", "pymongo"),
        (worker("pymongo.errors.WaitQueueTimeoutError: Timed out while checking out"), "away", "pymongo"),
        ("org.apache.kafka.common.errors.KafkaStorageException: Disk error", "away", "org.apache.kafka"),
        ("org.apache.kafka.common.errors.OutOfOrderSequenceException: out of order", "away", "org.apache.kafka"),
        ("OverflowError: a sender wrote pymongo.errors.AutoReconnect: x", "record", "OverflowError"),
        ("something that nobody has thought of", "record", "something that nobody has thought of"),
        ("", "record", "RuntimeError"),
    ],
)
def test_kinds_and_reasons(text: str, kind: str, reason: str) -> None:
    failure = failure_of(RuntimeError(text))
    assert (failure.kind, failure.reason[: len(reason)]) == (kind, reason)
    assert "\n" not in failure.reason
    assert "\tat" not in failure.reason


def test_our_own_errors_are_known_by_their_class() -> None:
    assert failure_of(CheckpointMisfit("x")).kind == "misfit"
    assert failure_of(StoreUnavailable("The document store does not answer.")).kind == "away"
    assert (
        failure_reason(StoreUnavailable("The document store does not answer.")) == "The document store does not answer."
    )


def test_a_store_that_is_away_is_known_by_its_drivers_class() -> None:
    assert failure_of(AutoReconnect("connection closed")).kind == "away"
    assert failure_of(BulkWriteError({"writeErrors": [{"code": 11600}]})).kind == "away"


def test_a_reason_is_bounded() -> None:
    assert len(failure_reason(RuntimeError("x" * 10_000))) == 500


def test_a_reason_holds_no_secret_however_it_is_cut() -> None:
    load_settings(scoring_key="qX7.pL9zRwN4vB2k.MMMM")
    for length in (300, 470, 485, 495):
        reason = failure_reason(ValueError(f"Illegal header value {'x' * length} b'Bearer qX7.pL9zRwN4vB2k.MMMM'"))
        assert "Illegal header value" in reason
        assert "qX7" not in reason


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ("[STREAMING_CHECKPOINT_MISSING_METADATA_FILE] Checkpoint location /x must have metadata", "misfit", "recover"),
        ("[MALFORMED_LOG_FILE] Log file was malformed: failed to read correct log version from x", "misfit", "recover"),
        ("[CHECKPOINT_FILE_CHECKSUM_VERIFICATION_FAILED] Checksum verification failed", "misfit", "recover"),
        (
            "org.apache.kafka.common.errors.TimeoutException: Topic scored not present in metadata",
            "away",
            "topics create",
        ),
    ],
)
def test_what_spark_finds_broken_or_missing_is_advised(said: str, kind: str, advice: str) -> None:
    failure = failure_of(RuntimeError(f"{AHEAD}{said}"))
    assert failure.kind == kind
    assert f"`fraudstream {advice}" in failure.advice
