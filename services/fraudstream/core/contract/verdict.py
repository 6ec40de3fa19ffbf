"""A verdict: what somebody found out of a transaction afterwards, a record of `labels` beside the events of history.

``{"id": …, "label": 0 or 1, "observed_at": "ISO 8601"}`` has these names in every project. Where the project names
campaigns (``event.campaign``), a fraud's may stand beside them as ``campaign``. It may come before its transaction,
more than once, and corrected by a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fraudstream.core.contract import limits
from fraudstream.core.contract.event import AMOUNT, ID, PROJECT, RULES
from fraudstream.core.contract.exact_json import Field, depth, fields_of
from fraudstream.core.contract.field_rules import FieldRule, first_problem
from fraudstream.core.contract.times import ISO, TimeForm
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError

OBSERVED_AT = "observed_at"
CAMPAIGN = "campaign"

_TIME = TimeForm(ISO)
_OF_HISTORY = PROJECT.definition.event.campaign
_RULES = (
    replace(RULES[ID], name="id", path=("id",)),
    FieldRule("label", "int", required=True, minimum=0, maximum=1),
    FieldRule(OBSERVED_AT, "time", required=True, time=_TIME),
    *(() if _OF_HISTORY is None else (replace(RULES[_OF_HISTORY], name=CAMPAIGN, path=(CAMPAIGN,)),)),
)
# An event has its amount always, so that no verdict is taken for one.
_AMOUNT = RULES[AMOUNT].path[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``label`` is 1 for a fraud, 0 for none; ``observed_at``, when that became known, is UTC.

    ``campaign`` is None where none is named, and in a project that has no campaigns.
    """

    id: int | str
    label: int
    observed_at: datetime
    campaign: str | None = None


def parse_verdict(value: bytes) -> Verdict | None:
    """The verdict that a record of `labels` is; None for what is none, whatever else it is.

    Raises :class:`EventError` for a verdict that is not well formed; its message starts with the field's name.
    """
    fields = _fields(value)
    if fields is None:
        return None
    if (problem := first_problem(_RULES, fields)) is not None:
        raise EventError(f"{problem.field}: {problem.explanation}", problem.field)
    given: dict[str, Any] = {}
    for name, content, _ in fields:
        if name in given:
            raise EventError("value: a field stands twice")
        given[name] = content
    campaign = None if _OF_HISTORY is None else given.get(CAMPAIGN)
    return Verdict(given["id"], given["label"], _TIME.parse(given[OBSERVED_AT]), campaign)


def _fields(value: bytes) -> Sequence[Field] | None:
    # Nearly all records are history: a search of the bytes tells that they have no such field.
    if OBSERVED_AT.encode() not in value and b"\\u" not in value:
        return None
    if len(value) > MAX_EVENT_BYTES or depth(value) > limits.MOST_NESTING:
        return None
    try:
        fields = fields_of(value.decode("utf-8"))
    except ValueError:
        return None
    names = {field.name for field in fields}
    return fields if OBSERVED_AT in names and _AMOUNT not in names else None
