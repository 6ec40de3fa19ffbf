"""An emulated hub lets through what its units allow, makes the next ones wait, and refuses what would wait too long."""

from __future__ import annotations

import pytest

from fraudstream.cloud.rehearsal.iothub.hub import MOST_WAIT_SECONDS, IotHub
from fraudstream.cloud.rules.iothub_limits import HUB_TIERS, Sku
from fraudstream.core.errors import ConfigurationError


@pytest.mark.parametrize(("sku", "units", "sends"), [("S1", 2, 100), ("S1", 9, 108), ("S2", 2, 240), ("S3", 1, 6_000)])
def test_a_tier_has_a_least_rate_and_one_for_each_unit(sku: Sku, units: int, sends: float) -> None:
    """The numbers of S1 are the examples of the service's page."""
    assert HUB_TIERS[sku].sends.per_second(units) == sends
    assert IotHub(sku, units).rates["IH002"].per_second == sends


def test_a_burst_passes_then_messages_wait_then_they_are_refused() -> None:
    hub = IotHub()
    waits = [hub.wait("IH002") for _ in range(100 + int(100 * MOST_WAIT_SECONDS) + 50)]
    assert max(wait or 0.0 for wait in waits[:99]) < 0.05
    assert 0.0 < (waits[150] or 0.0) < MOST_WAIT_SECONDS
    assert None in waits
    refused = hub.figures.refusals["IH002"]
    assert refused == waits.count(None) > 0
    # What is refused takes nobody's place in the queue.
    assert (hub.wait("IH002", 0) or 0.0) <= MOST_WAIT_SECONDS


def test_what_counts_by_the_minute_may_come_at_once() -> None:
    hub = IotHub("S1", 1)
    assert [hub.wait("IH005") for _ in range(100)][-1] == pytest.approx(0.0, abs=0.05)
    waits = [hub.wait("IH005") for _ in range(20)]
    assert waits[-1] is None


def test_the_day_has_a_quota_in_steps_of_four_kilobytes() -> None:
    hub = IotHub("S1", 1)
    hub.quota = 4
    assert hub.charge(0)
    assert hub.charge(4_097)
    assert hub.figures.messages == 3
    assert not hub.charge(5_000)
    assert hub.charge(4_096)
    assert hub.figures.refusals == {"IH001": 1}


@pytest.mark.parametrize(
    "deployment", [("S1", 0), ("S1", 201), ("S3", 11), ("F1", 2), ("S1", 1, 0), ("S1", 1, 8), ("B1", 1, 1, 9)]
)
def test_a_deployment_beyond_the_tier_is_refused(deployment: tuple[Sku, int]) -> None:
    with pytest.raises(ConfigurationError, match="400: the deployment wants iotHub"):
        IotHub().deploy(*deployment)
