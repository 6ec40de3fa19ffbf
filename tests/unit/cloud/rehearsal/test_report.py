"""A rehearsal's verdict and how it is told: passed only if nothing is lost, no rule broken and no secret logged."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from fraudstream.cloud.rehearsal.costs import monthly_costs
from fraudstream.cloud.rehearsal.environment import Plan
from fraudstream.cloud.rehearsal.faults import Fault, Schedule
from fraudstream.cloud.rehearsal.outcome import Outcome
from fraudstream.cloud.rehearsal.report import page, show
from fraudstream.cloud.rules.table import rules
from fraudstream.core.output.terminal import terminal

GOOD = Outcome(
    events=2_000,
    acknowledged=1_999,
    refused_by_size=1,
    scored=1_980,
    rejected=19,
    stored=1_980,
    redelivered=3,
    latency_p50_ms=900.0,
    latency_p95_ms=4_200.0,
    live_seconds=40.0,
    document_writes=4_000,
    writes_throttled=1_000,
    reads_throttled=0,
    requests_delayed=7,
    delayed_ms=2_500.0,
    producer_delays=3,
    producer_delayed_ms=1_500.0,
    sent_in_seconds=4.5,
    request_units=2_000.0,
    most_request_units=2_004.0,
    total_request_units=40_000.0,
    throughput_units=1,
    most_throughput_units=1.2,
    scoring_requests=10,
    scoring_statuses={"200": 9, "429": 1},
    registry_requests=12,
    connections={"event hubs": 20, "cosmos db": 5},
    refusals={"CO026": 1_000, "ML003": 1},
    faults=[{"fault": "keys rotated", "at_seconds": 3.0, "outcome": "stream restarted <b>"}],
    costs=monthly_costs(Plan(), 50.0),
)


DEVICES = {
    "devices": 10,
    "acknowledged": 300,
    "arrived": 304,
    "decided": 300,
    "resent": 4,
    "delayed": 41,
    "connections_cut": 10,
    "complete": True,
}


def printed(outcome: Outcome) -> str:
    console = terminal(file=io.StringIO(), width=200)
    show(outcome, console)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written


def test_a_good_run_passes_and_survived_throttles_are_no_broken_rules() -> None:
    assert GOOD.passed
    assert GOOD.throttled_share == 0.25
    assert GOOD.broken_rules == []
    states = {check["rule"]: check["state"] for check in GOOD.checks()}
    assert states.keys() == rules().keys()
    assert (states["CO026"], states["ML003"], states["EH001"]) == ("survived 1,000", "survived 1", "kept")
    # Nothing at the endpoints answers to it, so that a run shows nothing about it.
    assert states["CO027"] == "not enforced"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stored": 1_979}, "1,979 scored ones stored"),
        ({"scored": 1_979, "stored": 1_979}, "1,979 scored"),
        ({"acknowledged": 1_998}, "1,998 taken"),
        ({"refusals": {"CO014": 2}}, "CO014 broken 2"),
        ({"leaks": ["store.log"]}, "a secret stands in store.log"),
        ({"unread": {"Kafka publication": 2}}, "2 × Kafka publication could not be read"),
    ],
)
def test_what_is_lost_broken_or_told_fails(changes: dict[str, Any], sentence: str) -> None:
    bad = replace(GOOD, **changes)
    assert not bad.passed
    assert sentence in printed(bad)
    assert "✗ failed" in printed(bad)
    assert 'Azure rehearsal: <span class="broken">failed' in page(bad)


def test_events_of_devices_are_shown_and_a_lost_one_fails() -> None:
    whole, lossy = replace(GOOD, devices=DEVICES), replace(GOOD, devices=DEVICES | {"decided": 299, "complete": False})
    assert whole.passed
    assert "300 events of 10 devices acknowledged, 304 arrived, 300 decided, 4 sent again" in printed(whole)
    assert "10 connections cut" in page(whole)
    assert not lossy.passed
    assert "299 decided" in printed(lossy)
    assert " of 10 devices" not in printed(GOOD)


def test_only_what_a_run_enforces_counts_as_kept() -> None:
    """A hub's rules where devices send; those of a Stream Analytics job never: none is rehearsed."""
    without, beside = ({check["rule"]: check["state"] for check in outcome.checks()} for outcome in (
        GOOD, replace(GOOD, devices=DEVICES, refusals={"IH002": 3, "IH003": 1})
    ))  # fmt: skip
    assert (without["IH002"], without["IH004"], without["SA001"]) == ("not enforced",) * 3
    assert (beside["IH002"], beside["IH004"], beside["SA001"]) == ("survived 3", "kept", "not enforced")
    assert replace(GOOD, devices=DEVICES, refusals={"IH004": 1}).broken_rules == ["IH004"]


def test_terminal_page_and_json_say_the_same() -> None:
    text, html, answer = printed(GOOD), page(GOOD), json.loads(json.dumps(GOOD.to_json()))
    for sentence in ("1,980 scored + 19 rejected", "25.0%", "slowed 3 times", "9 × 200, 1 × 429"):
        assert sentence in text
        assert sentence in html
    assert "✓ passed" in text
    assert answer["passed"]
    assert answer["throttled_share"] == 0.25
    assert len(answer["rules"]) == len(rules())
    # The page is whole by itself, and what it shows is text.
    assert "&lt;b&gt;" in html
    assert not re.search(r"<(script|link|img|iframe)", html)
    assert all(rule.id in html for rule in rules().values())
    assert re.search(
        r'<a href="https://learn\.microsoft\.com/azure/cosmos-db/concepts-limits">concepts-limits</a>', html
    )
    assert "<td>docs/how-to/azure.md</td>" in html


def test_a_fault_happens_once_when_it_is_due() -> None:
    happened: list[str] = []

    def happen(name: str) -> str:
        happened.append(name)
        return f"{name} happened"

    schedule = Schedule([Fault("first", 0.0, lambda: happen("first")), Fault("second", 0.5, lambda: happen("second"))])
    schedule.advance(0.2)
    schedule.advance(0.4)
    assert happened == ["first"]
    assert not schedule.all_happened
    assert schedule.to_json()[1] == {"fault": "second", "at_seconds": None, "outcome": ""}
    schedule.advance(0.9)
    assert happened == ["first", "second"]
    assert schedule.all_happened


def test_costs_grow_with_the_traffic() -> None:
    slow, fast = (monthly_costs(Plan(), rate) for rate in (10.0, 3_000.0))
    assert [row["resource"] for row in slow] == [row["resource"] for row in fast]
    assert fast[0]["amount"] == "6"
    assert fast[0]["usd_per_month"] == pytest.approx(6 * slow[0]["usd_per_month"])
    assert all(row["usd_per_month"] >= 0 for row in slow)
