"""Halving finds the records that fail, processes all others, and blames none where everything fails."""

from __future__ import annotations

import random

import pytest
from kafka import TopicPartition

from fraudstream.core.errors import FraudstreamError, StoreUnavailable
from fraudstream.spark.narrowing import halves, suspects
from fraudstream.spark.probing import Range, cut_out

A, B, C = (TopicPartition("transactions", number) for number in range(3))


class Batches:
    """What was processed, and how often a batch was tried; a batch with a bad record in it fails whole."""

    def __init__(self, bad: set[tuple[TopicPartition, int]], error: str = "odd") -> None:
        self.bad, self.error = bad, error
        self.done: set[tuple[TopicPartition, int]] = set()
        self.tries = 0

    def process(self, ranges: list[Range]) -> None:
        self.tries += 1
        places = {(span.partition, offset) for span in ranges for offset in range(span.start, span.end)}
        if places & self.bad:
            raise RuntimeError(self.error)
        self.done |= places


def all_of(ranges: list[Range]) -> set[tuple[TopicPartition, int]]:
    return {(span.partition, offset) for span in ranges for offset in range(span.start, span.end)}


@pytest.mark.parametrize("seed", range(200))
def test_exactly_the_bad_ones_are_found_wherever_they_are(seed: int) -> None:
    rng = random.Random(seed)
    ranges = []
    for part in (A, B, C)[: rng.randrange(1, 4)]:
        start = rng.randrange(1000)
        ranges.append(Range(part, start, start + rng.choice((0, 1, 2, 3, 50, 500))))
    places = sorted(all_of(ranges), key=str)
    bad = set(rng.sample(places, min(len(places) // 2, rng.choice((0, 1, 1, 2, 5)))))
    batches = Batches(bad)
    culprits = suspects(ranges, batches.process)
    assert {(culprit.partition, culprit.offset) for culprit in culprits} == bad
    assert batches.done == all_of(ranges) - bad


def test_one_in_twenty_thousand_takes_few_tries() -> None:
    batches = Batches({(A, 12_345)})
    assert len(suspects([Range(A, 0, 10_000), Range(B, 0, 0), Range(A, 10_000, 20_000)], batches.process)) == 1
    assert batches.tries <= 2 * 16 + 1
    guessing = Batches({(A, 12_345)})
    guessed = [Range(A, 12_345, 12_346), Range(B, 7, 8)]
    culprits = suspects([Range(A, 0, 20_000), Range(B, 5, 10)], guessing.process, guessed=guessed)
    assert [(culprit.partition, culprit.offset) for culprit in culprits] == [(A, 12_345)]
    assert guessing.done == all_of([Range(A, 0, 20_000), Range(B, 5, 10)]) - {(A, 12_345)}
    assert guessing.tries <= 5


@pytest.mark.parametrize("seed", range(50))
def test_guesses_cost_nothing_but_tries(seed: int) -> None:
    rng = random.Random(seed)
    ranges = [Range(A, 3, 203), Range(B, 0, 0), Range(C, 7, 107)]
    places = sorted(all_of(ranges), key=str)
    guessed = [Range(part, at, at + 1) for part, at in rng.sample(places, rng.randrange(6))] + [Range(B, 9, 10)]
    for part in cut_out(ranges, guessed):
        assert len({span.partition for span in part}) == len(part)
    bad = set(rng.sample(places, rng.randrange(4)))
    batches = Batches(bad)
    culprits = suspects(ranges, batches.process, guessed=guessed)
    assert {(culprit.partition, culprit.offset) for culprit in culprits} == bad
    assert batches.done == all_of(ranges) - bad


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_halves_are_all_of_it(count: int) -> None:
    ranges = [Range(A, 5, 5 + count), Range(B, 0, 1)]
    left, right = halves(ranges)
    assert all_of(left) | all_of(right) == all_of(ranges)
    assert not all_of(left) & all_of(right)
    assert abs(len(all_of(left)) - len(all_of(right))) <= 1


def test_where_nothing_goes_through_nobody_is_to_blame() -> None:
    ranges = [Range(A, 0, 1000)]
    batches = Batches(all_of(ranges))
    with pytest.raises(FraudstreamError, match="No record of the batch goes through"):
        suspects(ranges, batches.process)
    assert batches.tries < 40


def test_a_record_alone_is_to_blame_where_the_error_says_so() -> None:
    batches = Batches({(A, 0)}, "org.apache.kafka.common.errors.RecordTooLargeException: too large")
    assert len(suspects([Range(A, 0, 1)], batches.process)) == 1
    with pytest.raises(FraudstreamError):
        suspects([Range(A, 0, 1)], Batches({(A, 0)}).process)


def test_former_records_tell_a_bad_record_from_a_bad_time() -> None:
    batches = Batches(all_of([Range(A, 50, 57)]))
    former = [Range(A, 40, 50)]
    assert [culprit.offset for culprit in suspects([Range(A, 50, 53)], batches.process, former)] == [50, 51, 52]
    assert [culprit.offset for culprit in suspects([Range(A, 50, 57)], batches.process, former)] == [*range(50, 57)]
    nothing = Batches(all_of([Range(A, 0, 100)]))
    with pytest.raises(FraudstreamError, match="No record of the batch goes through"):
        suspects([Range(A, 50, 53)], nothing.process, former)


def test_many_bad_ones_in_front_of_good_ones_are_found() -> None:
    ranges = [Range(A, 0, 500), Range(B, 3, 503)]
    bad = all_of([Range(A, 0, 12)])
    batches = Batches(bad)
    assert {(culprit.partition, culprit.offset) for culprit in suspects(ranges, batches.process)} == bad
    assert batches.done == all_of(ranges) - bad


def test_a_passing_trouble_is_nobodys_fault() -> None:
    batches = Batches({(A, 77)})
    tries = 0

    def process(ranges: list[Range]) -> None:
        nonlocal tries
        tries += 1
        # For a while after the first part went through nothing works.
        if 6 <= tries <= 20:
            raise RuntimeError("the store has a bad moment")
        batches.process(ranges)

    ranges = [Range(A, 0, 400)]
    assert [culprit.offset for culprit in suspects(ranges, process)] == [77]
    assert batches.done == all_of(ranges) - {(A, 77)}


def test_what_concerns_all_ends_the_search() -> None:
    def away(_: list[Range]) -> None:
        raise StoreUnavailable("The document store does not answer.")

    with pytest.raises(StoreUnavailable):
        suspects([Range(A, 0, 1000)], away)
