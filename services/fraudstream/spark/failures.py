"""Why a streaming query failed, and what to do about it.

Only four answers lead to different actions. ``misfit``: checkpoint and topics no longer fit each other. ``away``: a
dependency does not answer, or refuses everybody; trying again later helps. ``session``: Spark's process is of no use
any more. ``record``: anything else, which a single record may have caused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fraudstream.core.output.redaction import redact

Kind = Literal["misfit", "away", "session", "record"]

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """A query's failure: its kind, the line that says most, and what to do."""

    kind: Kind
    reason: str
    advice: str

    @property
    def is_a_records_own(self) -> bool:
        """Whether only the record itself can have caused it, even if there is no other record to compare it with."""
        return self.kind == "record" and _OWN_FAULT.search(self.reason) is not None


_OWN_FAULT = re.compile(
    r"RecordTooLarge|MessageSizeTooLarge|RecordBatchTooLarge|InvalidRecord|CorruptRecord|Record is corrupt"
    r"|fetching the next record|SerializationException"
)
_RECOVER = "`fraudstream recover` shows what is lost and goes on with what the topics hold."
_TRY_AGAIN = "It is tried again by itself."

_STORE = f"`fraudstream logs documents` shows how the document store is. {_TRY_AGAIN}"

# The first pattern that is found in the error's text decides. Class names are Java's or Python's, texts are Spark's.
_KINDS: tuple[tuple[Kind, str, str], ...] = (
    # This one is first because such an error repeats whole documents. The writer itself sets aside documents with an
    # error of their own, so that those errors do not come here.
    ("away", r"(?m:^\s*(?:Caused by: )?pymongo\.errors\.(?!InvalidDocument|DocumentTooLarge|InvalidName)\w+)", _STORE),
    ("misfit", r"CheckpointMisfit", _RECOVER),
    (
        "away",
        r"UnknownTopicOrPartition|Topic \S+ not present in metadata",
        "The topic is missing: `fraudstream topics create` creates it.",
    ),
    ("misfit", r"data may (?:have been|be) lost|OffsetOutOfRange|offset was changed from|FAIL_ON_DATA_LOSS", _RECOVER),
    (
        "misfit",
        r"Incomplete log file|Malformed log file|MALFORMED_LOG_FILE|UnsupportedLogVersion|STREAMING_CHECKPOINT"
        r"|batch .{0,40} doesn't exist|MISSING_CHECKPOINT|query\.live\.StateRefused"
        r"|STATE_STORE|StateStore\w*Exception|state file .{0,200} does not exist"
        r"|Error reading (?:delta|snapshot|streaming)"
        r"|There are \[\d+\] sources in the checkpoint|checkpoint.{0,80}(?:corrupt|does not exist)"
        r"|ChecksumException|CHECKSUM_VERIFICATION|INCOMPATIBLE_.{0,30}CHECKPOINT",
        _RECOVER,
    ),
    (
        "away",
        r"[Mm]ultiple streaming queries|CONCURRENT_STREAM_LOG_UPDATE|CONCURRENT_QUERY",
        "Another job works on the same checkpoint: end it, or give this one a FRAUDSTREAM_DATA_DIR of its own.",
    ),
    ("session", r"stopped SparkContext|SparkContext was shut down|Py4JNetworkError|Answer from Java side is empty", ""),
    ("session", r"more partitions than slots", ""),
    ("session", r"OutOfMemoryError", "Give the job more memory: FRAUDSTREAM_DRIVER_MEMORY."),
    ("away", r"No space left on device|DiskFull|ENOSPC|OutOfDiskSpace", "Free some room on the disk."),
    (
        "away",
        r"no champion's trees|trained on other fields|has no champion",
        "Train a model, `fraudstream train`, or promote another version, `fraudstream models promote`.",
    ),
    (
        "away",
        r"query\.values\.Unavailable",
        f"The project's functions in Python and its reference data have to be there, as at the start. {_TRY_AGAIN}",
    ),
    (
        "away",
        r"asaql\.errors\.QueryError",
        "Correct the project's query and start the job anew; where it is the scoring service that cannot answer it, "
        "promote a version with trees.",
    ),
    (
        "away",
        r"Scoring(?:Unavailable|Failed)",
        f"`fraudstream logs scoring` and `fraudstream models list` show why the scoring service does not. {_TRY_AGAIN}",
    ),
    (
        "away",
        r"(?:Sasl|Ssl)\w*Authentication|(?:Topic|Group|Cluster|TransactionalId)Authorization|AuthenticationException",
        "Check the FRAUDSTREAM_KAFKA_… variables and what the account may do.",
    ),
    (
        "away",
        r"StoreUnavailable",
        _STORE,
    ),
    (
        "away",
        r"BrokerUnavailable|errors\.(?:Timeout|Disconnect|Network|NotLeaderOrFollower|NotEnoughReplicas|LeaderNotAvailable"
        r"|BrokerNotAvailable|CoordinatorNotAvailable|KafkaStorage|UnknownServer|OutOfOrderSequence|UnknownProducerId"
        r"|InvalidProducerEpoch|ProducerFenced|Throttling|NotController|FencedLeaderEpoch|UnknownLeaderEpoch"
        r"|ReplicaNotAvailable|OffsetNotAvailable|BrokerIdNotRegistered)\w*Exception"
        r"|KafkaTimeoutError|NoBrokersAvailable"
        r"|No resolvable bootstrap|Failed to (?:construct|create new) .{0,40}(?:consumer|producer|admin)"
        r"|Connection refused|UnknownHostException|TimeoutException",
        f"`fraudstream logs kafka` shows how the broker is. {_TRY_AGAIN}",
    ),
)
_UNKNOWN = "The job's log has the whole error."


def failure_of(error: BaseException) -> Failure:
    """What an exception of a query, or of its start, means."""
    text = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
    for kind, pattern, advice in _KINDS:
        if re.search(pattern, text, re.DOTALL):
            return Failure(kind, failure_reason(error), advice)
    return Failure("record", failure_reason(error), _UNKNOWN)


def failure_reason(error: BaseException) -> str:
    """The line of a failure that says most: our own error where there is one, else the cause."""
    from fraudstream.core.errors import FraudstreamError

    # Before it is cut: it goes into the offsets' metadata and a state file as well as into a log.
    text = redact(str(error))
    if isinstance(error, FraudstreamError):
        return text[:_LONGEST_REASON]
    ours = [
        line.strip()
        for line in text.splitlines()
        if re.match(r"\s*(?:Caused by: )?\S*fraudstream\S*(?:Error|Un\w+|Rej\w+|Failed|Exception): ", line)
    ]
    if ours:
        return ours[-1].removeprefix("Caused by: ")[:_LONGEST_REASON]
    # Spark repeats the plan of the query and the stack behind the cause.
    cause = re.split(r"SQLSTATE: |\n=== Streaming Query|\nDriver stacktrace|\n\s+at ", text)[0]
    cause = re.sub(r"^.*?terminated with exception: ", "", cause, flags=re.DOTALL)
    cause = re.sub(r"^.*?Job aborted due to stage failure: .*?\(TID \d+\) \([^)]*\): ", "", cause, flags=re.DOTALL)
    if lost := re.search(r"^Reason: (.*)", cause, re.DOTALL | re.MULTILINE):
        cause = f"Records are gone from the topic before they were read: {lost[1]}"
    lines = [line.strip() for line in cause.splitlines() if line.strip()]
    if lines and lines[0].endswith("Traceback (most recent call last):"):
        lines = [line for line in lines if re.match(r"[\w.]*(?:Error|Exception|Timeout)\b", line)] or lines
        lines = lines[-1:]
    return " ".join(lines)[:_LONGEST_REASON] or type(error).__name__
