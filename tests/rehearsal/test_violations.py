"""The two lists belong together: what an endpoint refuses is what the linter reports before anything runs."""

from __future__ import annotations

from fraudstream.cloud.rehearsal.outcome import NOT_REHEARSED
from fraudstream.cloud.rules.table import rules
from tests.rehearsal import test_azure_ml, test_cosmos_db, test_event_hubs, test_iot_hub
from tests.unit.cloud.check.test_check import PLANTS

# Every deliberate violation with the code that it is refused with.
REFUSED = {
    rule: code
    for module in (test_event_hubs, test_iot_hub, test_cosmos_db, test_azure_ml)
    for rule, _, code in module.VIOLATIONS
}


def test_every_rule_that_a_service_enforces_is_violated() -> None:
    assert set(REFUSED) == {rule.id for rule in rules().values() if rule.answer and rule.service != NOT_REHEARSED}
    assert 0 not in REFUSED.values(), "a violation that is not refused"


def test_every_rule_is_reported_before_running() -> None:
    assert {rule for rule, _ in PLANTS} == set(rules())


def test_there_are_as_many_as_promised() -> None:
    assert len(set(REFUSED) & {rule for rule, _ in PLANTS}) >= 25
