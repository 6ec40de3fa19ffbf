"""Rejected events corrected: each that cannot be is named, whatever its text is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from fraudstream.core import documents, resend
from fraudstream.core.errors import EventError
from fraudstream.core.resend import Correction, corrected, outgoing
from fraudstream.core.settings import Settings, load_settings
from tests.events import value

DECISION = dict.fromkeys(sorted(resend._DECISION), 1)


def nested(depth: int) -> bytes:
    """A scored record with a field that is nested so deep."""
    return (json.dumps(DECISION)[:-1] + ', "note": ' + '{"a":' * depth + "1" + "}" * depth + "}").encode()


@pytest.mark.parametrize("correction", [Correction(), Correction({("amount",): "5"}), Correction({}, [("other",)])])
def test_a_record_of_any_depth_is_refused_as_an_event(correction: Correction) -> None:
    for depth in range(900, 1_040):
        with pytest.raises(EventError, match="nested"):
            outgoing("id", "scored", corrected(nested(depth), correction))


def test_one_that_is_nested_too_deeply_is_named_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        number: {"_id": number, "raw": raw, "raw_bytes": len(raw), "source": {"topic": "scored"}}
        for number, raw in (("good", value()), ("deep", nested(1_000)))
    }

    class Rejected:
        def find(self, _query: Any) -> Sequence[Any]:
            return list(made.values())

    def database(_settings: Settings) -> dict[str, Rejected]:
        return {documents.REJECTED: Rejected()}

    monkeypatch.setattr(documents, "database", database)
    with pytest.raises(EventError, match=r"^Nothing was sent. deep: still not valid, .*nested"):
        resend.send_back(load_settings(), ["good", "deep"], Correction())
