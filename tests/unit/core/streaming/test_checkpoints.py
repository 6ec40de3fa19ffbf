"""A checkpoint is read as Spark writes it, and replaced in one step without a change to what Spark wrote."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import CheckpointMisfit
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import TopicState, misfits, starts_after
from fraudstream.spark.session import finished_offsets

ZERO, ONE = TopicPartition("transactions", 0), TopicPartition("transactions", 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def batch(checkpoint: Checkpoint, number: int, offsets: str, committed: bool = True) -> None:
    """The files of one batch, as Spark 4.2 writes them."""
    for folder in ("offsets", "commits"):
        (checkpoint.folder / folder).mkdir(parents=True, exist_ok=True)
    if not (checkpoint.folder / "metadata").exists():
        (checkpoint.folder / "metadata").write_text('{"id":"03a7"}')
    (checkpoint.folder / "offsets" / str(number)).write_text(f'v1\n{{"batchWatermarkMs":0}}\n{offsets}')
    (checkpoint.folder / "offsets" / f".{number}.crc").write_text("crc")
    if committed:
        (checkpoint.folder / "commits" / str(number)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def state(begins: tuple[int, int], ends: tuple[int, int], topic_id: str = "a") -> TopicState:
    return TopicState(
        dict(zip((ZERO, ONE), begins, strict=True)),
        dict(zip((ZERO, ONE), ends, strict=True)),
        {"transactions": topic_id} if topic_id else {},
    )


def test_a_query_that_never_ran_has_a_new_one(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    assert checkpoint.folder == settings.data_dir / "checkpoints" / "stream"
    assert checkpoint.is_new
    assert (checkpoint.committed(), checkpoint.planned()) == ({}, None)


def test_what_is_committed_and_what_is_planned(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 9, '{"transactions":{"1":5,"0":6}}')
    batch(checkpoint, 10, '{"transactions":{"1":7,"0":8}}', committed=False)
    assert checkpoint.committed() == {ZERO: 6, ONE: 5}
    assert checkpoint.planned() == {ZERO: 8, ONE: 7}
    assert not checkpoint.is_new


@pytest.mark.parametrize("content", ["", "v9\n{}", "v1\n{", "\0\0\0"])
def test_a_broken_commit_is_a_misfit(settings: Settings, content: str) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":6,"1":5}}')
    (checkpoint.folder / "commits" / "3").write_text(content)
    with pytest.raises(CheckpointMisfit, match=r"commits/3 cannot be read .*fraudstream recover"):
        misfits(checkpoint, state((0, 0), (10, 10)))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name":"x"}'])
def test_a_broken_identity_is_a_misfit(settings: Settings, content: str) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":6,"1":5}}')
    (checkpoint.folder / "metadata").write_text(content)
    with pytest.raises(CheckpointMisfit, match="metadata cannot be read"):
        misfits(checkpoint, state((0, 0), (10, 10)))


def test_batches_of_a_query_without_an_identity_are_a_misfit(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":5,"1":7}}')
    (checkpoint.folder / "metadata").unlink()
    with pytest.raises(CheckpointMisfit, match="metadata cannot be read"):
        checkpoint.committed()


def test_what_is_withdrawn_outlives_a_checkpoint_but_no_topic(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "rollups").remember({"scored": "a"}, {})
    checkpoint.withdrawn.mkdir(parents=True)
    moved = checkpoint.moved_to({}, {"scored": "a"}, seeded=True)
    assert moved.folder != checkpoint.folder
    assert moved.withdrawn == checkpoint.withdrawn
    assert moved.withdrawn.exists()
    moved.moved_to({}, {"scored": "b"}, seeded=True)
    assert not moved.withdrawn.exists()


def test_a_whole_checkpoint_fits(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":6,"1":5}}')
    (checkpoint.folder / "metadata").write_text('{"id":"03a7"}')
    assert misfits(checkpoint, state((0, 0), (10, 10))) == []


@pytest.mark.parametrize("offsets", ['{"transactions":{"0":null}}', '{"transactions":{"x":1}}'])
def test_offsets_that_are_none_are_a_misfit(settings: Settings, offsets: str) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, offsets)
    with pytest.raises(CheckpointMisfit, match="offsets/3 cannot be read"):
        checkpoint.committed()


def test_the_line_of_another_source_is_passed_over(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "rollups")
    batch(checkpoint, 0, '{"logOffset":0}\n{"transactions":{"0":3}}\n-')
    assert checkpoint.committed() == {ZERO: 3}


def test_another_one_in_its_place_starts_where_it_is_told(settings: Settings) -> None:
    first = Checkpoint.of(settings, "stream")
    batch(first, 0, '{"transactions":{"0":3}}')
    second = first.moved_to({ZERO: 7, ONE: 0}, {"transactions": "b"})
    assert Checkpoint.of(settings, "stream") == second
    assert second.folder != first.folder
    assert not first.folder.exists()
    assert second.committed() == {ZERO: 7, ONE: 0}
    third = second.moved_to({ZERO: 9}, {}, seeded=True)
    assert third.folder not in (first.folder, second.folder)
    assert Checkpoint.of(settings, "stream").seeded_at is not None


def test_the_ids_of_the_topics_are_remembered(settings: Settings) -> None:
    Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {})
    assert Checkpoint.of(settings, "stream").topics == {"transactions": "a"}
    assert Checkpoint.of(settings, "stream").folder.name == "stream"


def test_where_a_new_one_begins_is_remembered_so_that_deleted_records_are_told(settings: Settings) -> None:
    Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {ZERO: 2, ONE: 3})
    again = Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {ZERO: 9, ONE: 3})
    assert again.committed() == {ZERO: 2, ONE: 3}
    (misfit,) = misfits(again, state((9, 3), (10, 10)))
    assert misfit.lost == 7
    (mismatch,) = misfits(again, state((9, 3), (10, 10)), {ZERO: 6})
    assert mismatch.lost == 3


def test_one_that_has_batches_keeps_its_own_offsets(settings: Settings) -> None:
    batch(Checkpoint.of(settings, "stream"), 0, '{"transactions":{"0":3}}')
    assert Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {ZERO: 1}).starts == {}


def test_a_broken_file_of_the_batch_under_way_is_told(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":5,"1":6}}')
    batch(checkpoint, 4, '{"transactions":{"0":8,"1":7}}', committed=False)
    (checkpoint.folder / "offsets" / "4").write_text("v1\n{")
    with pytest.raises(CheckpointMisfit, match=r"offsets/4 cannot be read"):
        misfits(checkpoint, state((0, 0), (10, 10)))


@pytest.mark.parametrize(
    "content", ["", "v1", "v1\n{", "v1\n{}", "v1\n{\n-", "v9\n{}\n{}", 'v1\n{}\n{"transactions":{"0":', "v1\n{}\n[[1"]
)
def test_a_broken_file_is_told_and_not_taken_for_a_beginning(settings: Settings, content: str) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 3, '{"transactions":{"0":3}}')
    (checkpoint.folder / "offsets" / "3").write_text(content)
    with pytest.raises(CheckpointMisfit, match=r"offsets/3 cannot be read .* `fraudstream recover`"):
        checkpoint.committed()


@pytest.mark.parametrize("content", ["", "[]", '{"folder": 1}', json.dumps({"folder": "x", "starts": 1, "topics": {}})])
def test_a_broken_name_file_is_told(settings: Settings, content: str) -> None:
    Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {})
    Checkpoint.of(settings, "stream").file.write_text(content)
    with pytest.raises(CheckpointMisfit, match=r"stream\.json cannot be read"):
        Checkpoint.of(settings, "stream")


@pytest.mark.parametrize(
    ("topics", "problem", "lost", "starts"),
    [
        (state((0, 0), (10, 10)), "", 0, {ZERO: 6, ONE: 5}),
        (state((6, 5), (6, 5)), "", 0, {ZERO: 6, ONE: 5}),
        (state((0, 9), (10, 10)), "4 records are gone that were not read: it stands at 5", 4, {ZERO: 6, ONE: 9}),
        (state((9, 9), (10, 10)), "records are gone that were not read", 7, {ZERO: 9, ONE: 9}),
        (state((0, 0), (10, 10), "b"), "the topic was made anew after 6 records", None, {ZERO: 0, ONE: 0}),
        (state((0, 0), (2, 10), "b"), "the topic was made anew", None, {ZERO: 0, ONE: 0}),
        (state((0, 0), (2, 10)), "6 records were read, but the partition ends at 2", None, {ZERO: 2, ONE: 5}),
        (state((0, 0), (2, 10), ""), "ends at 2: the topic was made anew", None, {ZERO: 0, ONE: 5}),
    ],
)
def test_what_does_not_fit_and_where_to_go_on(
    settings: Settings, topics: TopicState, problem: str, lost: int | None, starts: dict[TopicPartition, int]
) -> None:
    checkpoint = Checkpoint.of(settings, "stream").remember({"transactions": "a"}, {})
    batch(checkpoint, 0, '{"transactions":{"1":5,"0":6}}')
    mismatches = misfits(checkpoint, topics)
    assert bool(mismatches) == bool(problem)
    assert problem in "; ".join(mismatch.sentence for mismatch in mismatches)
    counts = [mismatch.lost for mismatch in mismatches]
    assert (None if None in counts else sum(count for count in counts if count is not None)) == lost
    assert starts_after(checkpoint, topics, mismatches) == starts


def test_a_partition_that_is_gone_is_told_and_one_that_came_is_read_from_its_begin(settings: Settings) -> None:
    checkpoint = Checkpoint.of(settings, "stream")
    batch(checkpoint, 0, '{"transactions":{"0":6}}')
    assert misfits(checkpoint, state((0, 0), (10, 10))) == []
    assert starts_after(checkpoint, state((0, 2), (10, 10)), ()) == {ZERO: 6, ONE: 2}
    smaller = TopicState({ONE: 0}, {ONE: 1}, {})
    assert [mismatch.problem for mismatch in misfits(checkpoint, smaller)] == [
        "the partition is gone, 6 of its records were read"
    ]


def test_a_query_with_nothing_to_do_stands_where_its_checkpoint_does(settings: Settings) -> None:
    Checkpoint.of(settings, "stream").moved_to({ZERO: 7, ONE: 3}, {})
    idle = SimpleNamespace(lastProgress=None)
    assert finished_offsets(settings, "stream", idle) == {ZERO: 7, ONE: 3}  # type: ignore[arg-type]
    source = {"description": "KafkaV2[Subscribe[transactions]]", "endOffset": {"transactions": {"0": 9}}}
    works = SimpleNamespace(lastProgress={"sources": [source]})
    assert finished_offsets(settings, "stream", works) == {ZERO: 9}  # type: ignore[arg-type]
