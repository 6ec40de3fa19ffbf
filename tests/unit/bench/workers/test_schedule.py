"""The open-loop schedule: an event is due by its number alone, and says so."""

from __future__ import annotations

import ast
import json
from itertools import pairwise
from pathlib import Path

import pytest

from fraudstream.bench.workers import sender
from fraudstream.bench.workers.sender import due, stamped
from fraudstream.core.contract.event import FIELD_RULES, RESERVED_FIELDS
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from tests.events import GOOD, value


@pytest.mark.parametrize("rate", [1.0, 200.0, 1_000.0])
def test_events_are_due_at_equal_distances(rate: float) -> None:
    times = [due(100.0, rate, number) for number in range(5_000)]
    assert times[0] == 100.0
    assert times[-1] == pytest.approx(100.0 + 4_999 / rate)
    assert max(later - earlier for earlier, later in pairwise(times)) == pytest.approx(1 / rate, rel=1e-3)


def test_a_stamped_event_is_the_event_with_two_more_fields() -> None:
    plain = json.dumps(GOOD, separators=(",", ":")).encode()
    stamped_one = json.loads(stamped(plain, 17, 1_700_000_000.25))
    assert stamped_one == GOOD | {"bench": 17, "due_us": 1_700_000_000_250_000}


def test_the_stamp_is_found_as_readers_look_for_it() -> None:
    assert b'"bench":3,"due_us":2500000}' in stamped(value(), 3, 2.5)


def test_the_peers_check_the_whole_contract() -> None:
    source = (Path(sender.__file__).parent / "work.py").read_text("utf-8")
    contract = next(
        node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Transaction"
    )
    fields = {ast.unparse(node.target): node for node in contract.body if isinstance(node, ast.AnnAssign)}
    assert set(fields) == {rule.name for rule in FIELD_RULES} | set(RESERVED_FIELDS)
    for rule in FIELD_RULES:
        written = ast.unparse(fields[rule.name].annotation)
        assert all(repr(choice) in written for choice in rule.choices), rule.name
        assert written.count("'") == 2 * len(rule.choices), rule.name
        if rule.kind == "float":
            assert (written, rule.maximum) == ("Money", LARGEST_SINGLE), rule.name
        elif rule.maximum not in (None, 1, 2**63 - 1):
            assert f"ge={rule.minimum}, le={rule.maximum}" in written, rule.name
    largest = str(LARGEST_SINGLE).replace("e+", "e")
    assert f"Money = Annotated[float, Meta(ge=0, le={largest})]" in source
    assert f"MAX_EVENT_BYTES = {MAX_EVENT_BYTES:_}" in source


def test_workers_import_nothing_of_ours() -> None:
    for file in Path(sender.__file__).parent.glob("*.py"):
        assert "fraudstream" not in file.read_text("utf-8"), file.name
