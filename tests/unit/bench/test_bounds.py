"""The project's claims: what is compared with what, and that a run which breaks one is seen to."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.bench import latency, scoring, store, throughput
from fraudstream.bench.bounds import at_least, at_most, ratio
from fraudstream.bench.harness import figures
from fraudstream.bench.job import measure as job


def spread(value: float) -> dict[str, float]:
    return {"median": value, "min": value, "max": value}


def latencies(**p50: float) -> list[dict[str, Any]]:
    return [
        {"contender": name.replace("_", "-"), "rate": 200.0, "p50_ms": spread(value), "p99_ms": spread(4 * value)}
        for name, value in p50.items()
    ]


def failed(bounds: list[Any]) -> list[str]:
    return [bound.claim for bound in bounds if not bound.holds]


def test_a_bound_without_its_value_is_no_bound() -> None:
    assert at_most("", None, 1) == at_least("", None, 1) == []
    assert ratio(None, 2.0) is None
    assert ratio(2.0, None) is None
    assert ratio(2.0, 0.0) is None
    assert at_most("", ratio(3.0, 2.0), 1.5)[0].holds
    assert not at_least("", ratio(3.0, 2.0), 1.6)[0].holds


def test_latency_claims() -> None:
    plan = latency.Plan(rates=(200.0,))
    good = latencies(echo=1.0, bare=2.0, realtime=2.0, microbatch=300.0, quix=6.0, bytewax=4.0)
    assert len(latency.held(good, plan)) == 7
    assert failed(latency.held(good, plan)) == []
    slow = latencies(echo=1.0, realtime=7.0, microbatch=100.0, quix=6.0, bytewax=4.0)
    assert len(failed(latency.held(slow, plan))) == 7
    assert latency.held(latencies(echo=1.0, bare=2.0), plan) == []
    both = latency.held(latencies(realtime=2.0, quix=3.0, quix_default=7.0), plan)
    assert [bound.claim for bound in both if bound.holds] == [
        "at 200 events/s: real-time p50 by Quix Streams', as it comes",
        "at 200 events/s: real-time p99 by Quix Streams', as it comes",
        "at 200 events/s: real-time p99 by Quix Streams'",
    ]


def test_only_a_long_run_is_a_soak() -> None:
    rows = latencies(realtime=2.0)
    rows[0] |= {"last_by_first": spread(1.6), "memory_growth": spread(0.2)}
    assert latency.held(rows, latency.Plan(rates=(200.0,), seconds=60.0)) == []
    assert len(failed(latency.held(rows, latency.Plan(rates=(200.0,), seconds=1_800.0)))) == 2


def rates(**events_per_second: float) -> list[dict[str, Any]]:
    return [
        {"contender": name.replace("_", "-"), "events_per_second": spread(value)}
        for name, value in events_per_second.items()
    ]


def test_throughput_claims_are_of_the_faster_trigger() -> None:
    good = rates(bare_batch=80.0, realtime=60.0, microbatch=10.0, quix_batch=40.0, bytewax_batch=45.0, quix=3.0)
    assert [round(bound.value, 2) for bound in throughput.held(good)] == [0.75, 1.33, 20.0]
    assert failed(throughput.held(good)) == []
    assert len(failed(throughput.held(rates(bare_batch=80.0, realtime=30.0, quix_batch=40.0, faust=3.0)))) == 3
    assert throughput.held(rates(bare_batch=80.0)) == []


def test_apps_that_take_single_events_are_measured_over_fewer() -> None:
    plan = throughput.Plan(events=100_000, message_events=5_000)
    assert plan.awaited("quix") == 5_000
    assert plan.awaited("quix-batch") == 100_000
    assert throughput.Plan(events=1_000, message_events=5_000).awaited("faust") == 1_000


def test_scoring_claims() -> None:
    runs = [
        {"repeat": 0, "contender": name, "clients": 1, "rows": rows, "requests_per_second": rate, "p99_ms": p99}
        | {"rows_per_second": rate * rows}
        for name, rows, rate, p99 in (
            (scoring.OURS, 1, 900.0, 2.0),
            (scoring.MLFLOW, 1, 100.0, 9.0),
            (scoring.OURS, 1_000, 100.0, 9.0),
            (scoring.MLFLOW, 1_000, 50.0, 9.0),
        )
    ]
    bounds = scoring.held(scoring.summarised(runs))
    assert [(bound.value, bound.holds) for bound in bounds] == [(9.0, True), (2 / 9, True), (2.0, False)]


def test_store_claims_and_rates() -> None:
    samples = [(0.0, 1), (10.0, 250), (11.0, 500), (12.0, 750), (13.0, 1_000)]
    assert store.rate(samples) == 250.0
    assert store.rate([(0.0, 0), (9.5, 0), (10.0, 1_000)]) == 2_000.0
    with pytest.raises(ValueError, match="before the first look"):
        store.rate([(1.0, 1_000)])
    runs = [
        {"repeat": repeat, "contender": name, "documents_per_second": rate}
        for repeat in range(3)
        for name, rate in ((store.JOB, 50.0 + repeat), (store.BARE, 100.0))
    ]
    (bound,) = store.held(figures.summarised(runs, "contender"))
    assert (bound.value, bound.holds) == (0.51, False)


def test_the_job_from_its_file_is_held_to_the_one_before_it() -> None:
    def entry(case: str, contender: str, **figures: float) -> dict[str, Any]:
        return {"case": case, "contender": contender} | {name: {"median": value} for name, value in figures.items()}

    def summary(rate: float, p99: float) -> list[dict[str, Any]]:
        return [
            entry(job.BACKLOG, "microbatch-plain", events_per_second=100.0),
            entry(job.BACKLOG, "microbatch", events_per_second=rate),
            entry("200 events/s", "realtime-plain", p50_ms=5.0, p99_ms=10.0),
            entry("200 events/s", "realtime", p50_ms=5.0, p99_ms=p99),
        ]

    assert failed(job.held(summary(95.0, 11.0))) == []
    assert len(job.held(summary(95.0, 11.0))) == 3
    assert len(failed(job.held(summary(80.0, 13.0)))) == 2
