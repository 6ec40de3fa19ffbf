"""Records of `transactions` → records of `scored` and `rejected`: one definition for every trigger.

The functions of Spark's Java process write both kinds of record, wherever the decision was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame

from fraudstream.spark.functions import (
    EVENT_COLUMNS,
    INPUT_COLUMNS,
    RECORD_COLUMNS,
    SCORER_COLUMNS,
    check_record,
    ddl,
    decide_record,
    finish_record,
    run_answered,
    run_record,
)
from fraudstream.stream.scorers import Decision, Scorer, score_rows

# The value comes from the check, which leaves it out of what is rejected.
_PLACE_COLUMNS = [name for name in RECORD_COLUMNS if name != "value"]
_CARRIED = [*RECORD_COLUMNS, *EVENT_COLUMNS]
_ANSWERED_SCHEMA = ddl(RECORD_COLUMNS | EVENT_COLUMNS | SCORER_COLUMNS)
_ANSWER_TYPES = (
    pa.int32(),
    pa.float64(),
    pa.float64(),
    pa.string(),
    pa.list_(pa.struct([("field", pa.string()), ("contribution", pa.float64())])),
    pa.string(),
    pa.string(),
)


class _Answer(NamedTuple):
    """What a scorer answered of an event: a decision, or the reason to reject it; nothing of one that is rejected."""

    prediction: int | None = None
    score: float | None = None
    threshold: float | None = None
    model_version: str | None = None
    reasons: Sequence[Mapping[str, Any]] | None = None
    field: str | None = None
    reason: str | None = None


def decide_here(records: DataFrame, champion: Path | None, query: Path | None = None) -> DataFrame:
    """Kafka source records → ``topic``, ``key``, ``value`` for the Kafka sink.

    The champion's trees, in the file ``champion``, are evaluated in Spark's own process: no Python takes part, so
    that real-time mode runs it too. Without a compiled ``query`` every record comes out exactly once, scored or
    rejected; with one, it becomes what the query makes of it, and no champion is needed where that calls no model.
    """
    trees = str(champion.absolute()) if champion is not None else ""
    if query is None:
        decided = records.select(decide_record(records.sparkSession, trees).alias("decided"))
        return decided.select("decided.*")
    return _each(records.select(run_record(records.sparkSession, str(query.absolute()), trees).alias("made")))


def _each(made: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    return made.select(F.inline("made"))


def decide_elsewhere(records: DataFrame, scorer_factory: Callable[[], Scorer], query: Path | None = None) -> DataFrame:
    """The same with a scorer that is called in the Python workers, one call a batch and partition.

    It answers for the events' own fields, whatever ``query`` makes of its answers.
    """

    def score_partition(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer: Scorer | None = None
        for batch in batches:
            valid = batch.filter(batch.column("rejected").is_null())
            if scorer is None and valid.num_rows:
                scorer = scorer_factory()
            columns = {name: valid.column(column).to_pylist() for name, column in INPUT_COLUMNS.items()}
            decisions = score_rows(scorer, columns, valid.num_rows) if scorer else []
            yield _answered(batch, decisions)

    checked = records.select(*_PLACE_COLUMNS, check_record(records.sparkSession).alias("checked"))
    answered = checked.select(*_PLACE_COLUMNS, "checked.*").mapInArrow(score_partition, _ANSWERED_SCHEMA)
    if query is None:
        return answered.select(finish_record(records.sparkSession).alias("decided")).select("decided.*")
    return _each(answered.select(run_answered(records.sparkSession, str(query.absolute())).alias("made")))


def _answered(batch: pa.RecordBatch, decisions: Sequence[Decision | str]) -> pa.RecordBatch:
    """The batch's records as they are, with the answer to each."""
    pending = iter(decisions)
    is_valid = batch.column("rejected").is_null().to_pylist()
    answers = [_answer(next(pending)) if valid else _Answer() for valid in is_valid]
    columns = list(zip(*answers, strict=True)) or [()] * len(_Answer._fields)
    arrays = [batch.column(name) for name in _CARRIED]
    arrays += [pa.array(values, kind) for values, kind in zip(columns, _ANSWER_TYPES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[*_CARRIED, *SCORER_COLUMNS])


def _answer(decision: Decision | str) -> _Answer:
    """A decision that says nothing, or a refusal, rejects its event alone."""
    if isinstance(decision, str):
        return _Answer(field=decision.partition(":")[0], reason=decision)
    if problem := decision.problem:
        return _Answer(field="cannot be scored", reason=f"cannot be scored: the model answered {problem}")
    return _Answer(decision.prediction, decision.score, decision.threshold, decision.model_version, decision.reasons)
