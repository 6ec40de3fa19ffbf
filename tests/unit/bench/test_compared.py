"""Contenders do the same work: the benchmark fails where one decides or rejects differently."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.bench.harness.load import compare_decisions, compare_rejected
from fraudstream.core.errors import FraudstreamError


def run(contender: str, rejected: int, events: int = 1_000) -> dict[str, Any]:
    return {"contender": contender, "events_out": events, "rejected": rejected}


def test_bare_loops_reject_nothing_and_others_the_same_number() -> None:
    compare_rejected([run("bare-batch", 0), run("realtime", 10), run("bytewax-batch", 10), run("quix", 1, 100)])


def test_another_number_of_rejected_events_is_an_error() -> None:
    with pytest.raises(FraudstreamError, match=r"1,000 events .* bytewax-batch 9, realtime 10"):
        compare_rejected([run("realtime", 10), run("bytewax-batch", 9)])


def test_another_decision_is_an_error() -> None:
    runs = [run("realtime", 0), run("quix", 0)]
    compare_decisions({"realtime": {"1": (1, 0.75)}, "quix": {"1": (1, 0.75)}}, runs)
    assert runs[1]["decisions"] == {"compared": 1, "different_decisions": 0, "largest_score_difference": 0.0}
    with pytest.raises(FraudstreamError, match="1 of 2000 events differently"):
        compare_decisions({"realtime": {"1": (1, 0.75)}, "quix": {"1": (0, 0.25)}}, runs)
