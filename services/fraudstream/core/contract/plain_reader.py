"""Reads what nearly all events are, ten times as fast as the gate's own reader, which keeps everything and has reasons.

It gives up on anything else, also on what is valid, and never refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from fraudstream.core.contract.exact_json import has_each_name_once, has_unusual_number, is_deep
from fraudstream.core.contract.field_rules import FieldRule, first_problem
from fraudstream.core.contract.times import ISO

# Where the decision begins that the stream job adds to an event.
DECISION_MARK = b',"event_time":"'
# The decision as the stream job writes it; whether its numbers are ones the parser sees.
_DECISION = re.compile(
    rb',"event_time":%(time)b,"prediction":[01],"score":%(number)b,"threshold":%(number)b,"model_version":%(text)b'
    rb',"scored_at":%(time)b,"reasons":\[(?:\{"field":%(text)b,"contribution":%(number)b\},?)*\]'
    rb',"source":\{"topic":%(text)b,"partition":[0-9]+,"offset":[0-9]+,"enqueued_at":%(time)b\}\}'
    % {b"text": rb'"[^"\\]*"', b"number": rb"[0-9.eE+-]+", b"time": rb'"[0-9T:.+-]+Z?"'}
)

# With so few commas, and brackets that cannot be nested too deep, no document is too large or has too many fields.
_MOST_COMMAS = 1_000
# Of so few integers each is named in the pattern.
_MOST_NAMED = 20
# A double keeps fifteen digits, and they are far from where 64 bits end.
_INTEGER, _NUMBER = rb"(?:0|[1-9][0-9]{0,14})", rb"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?"
_MOST_WRITTEN = 10**15
# Zero with a sign is no number that the parser keeps.
_SIGN = rb"(?:-(?=[1-9]|0\.[0-9]*[1-9]))?"
# Days that every year has, in the payments' form of a time.
_DAY_FIRST = "%d/%m/%Y %H:%M:%S"
_DATE = (
    rb'"(?:(?:0[1-9]|1[0-9]|2[0-8])/(?:0[1-9]|1[0-2])|(?:29|30)/(?:0[13-9]|1[0-2])|31/(?:0[13578]|1[02]))'
    rb'/(?!0000)[0-9]{4} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"'
)
# The same days, in ISO 8601 with UTC or without an offset.
_ISO_DATE = (
    rb'"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)'
    rb'|(?:0[13578]|1[02])-31)[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z?"'
)
_PLAIN_TEXT = rb"[ !#-\[\]-~]"
_NEVER = rb"(?!)"
# Longer texts are not counted by a pattern.
_MOST_COUNTED = 1_000


class PlainReader:
    """Reads events by the rules of their known fields; ``reserved`` names are no event's."""

    def __init__(self, rules: Sequence[FieldRule], reserved: Sequence[str], most_bytes: int) -> None:
        self._known = frozenset(rule.name for rule in rules)
        self._reserved = frozenset(reserved)
        self._most_bytes = most_bytes
        self._usual = _fields_pattern(rules)
        plain = [rule for rule in rules if not rule.is_nullable and not rule.is_above_minimum | rule.is_below_maximum]
        self._integers, self._numbers = (
            [(rule.name, rule.required, *rule.range) for rule in plain if rule.kind == kind and not rule.choices]
            for kind in ("int", "float")
        )
        self._texts = [
            (rule.name, rule.required, frozenset(rule.choices))
            for rule in plain
            if rule.kind == "text" and rule.choices
        ]
        swift = {name for group in (self._integers, self._numbers, self._texts) for name, *_ in group}
        self._others = [rule for rule in rules if rule.name not in swift]

    def read(self, value: bytes) -> dict[str, Any] | None:
        """The fields of a valid event, or None where this reader gives up."""
        usual = self._usual.match(value)
        if usual is not None and value.endswith(b"}") and self._are_kept(value[usual.end() : -1]):
            return object_of(value)
        event = self._kept(value)
        return event if event is not None and self._keeps_rules(event) else None

    def read_decided(self, value: bytes) -> dict[str, Any] | None:
        """The same of an event that carries its decision, whose fields come along."""
        usual = self._usual.match(value)
        if usual is not None and _DECISION.fullmatch(value, usual.end()) is not None:
            return object_of(value)
        at = value.rfind(DECISION_MARK)
        if at < 0 or _DECISION.fullmatch(value, at) is None:
            return None
        if usual is not None:
            is_good = self._are_kept(value[usual.end() : at])
        else:
            event = self._kept(value[:at] + b"}")
            is_good = event is not None and self._keeps_rules(event)
        return object_of(value) if is_good else None

    def _are_kept(self, fields: bytes) -> bool:
        """Whether the fields behind the usual ones, if any, are unknown ones that the parser keeps."""
        if not fields:
            return True
        unknown = self._kept(b"{" + fields[1:] + b"}") if fields.startswith(b",") else None
        return unknown is not None and self._known.isdisjoint(unknown)

    def _kept(self, text: bytes) -> dict[str, Any] | None:
        """The object where the parser keeps all of it, and so does a document; None also where that is not sure."""
        if len(text) > self._most_bytes or text.count(b",") > _MOST_COMMAS or is_deep(text):
            return None
        # Names that a store refuses begin with $ or hold NUL, which may be written as escapes.
        if b'"$' in text or b"\\u0024" in text or b"\\u0000" in text or has_unusual_number(text):
            return None
        fields = object_of(text)
        if fields is None or not self._reserved.isdisjoint(fields) or not has_each_name_once(text, fields):
            return None
        return fields

    def _keeps_rules(self, event: dict[str, Any]) -> bool:
        """The rules again, as one loop for each kind."""
        get: Callable[[str], Any] = event.get
        for name, required, low, high in self._integers:
            value = get(name)
            if not (low <= value <= high if type(value) is int else name not in event and not required):
                return False
        for name, required, low, high in self._numbers:
            value = get(name)
            if not (low <= value <= high if type(value) in (float, int) else name not in event and not required):
                return False
        for name, required, choices in self._texts:
            value = get(name)
            if not (value in choices if type(value) is str else name not in event and not required):
                return False
        given = ((rule.name, event[rule.name], "") for rule in self._others if rule.name in event)
        return first_problem(self._others, given) is None


def object_of(text: bytes) -> dict[str, Any] | None:
    """The JSON object that a text is, or None; of names that stand twice and of digits not all are kept."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) is dict else None


def _fields_pattern(rules: Sequence[FieldRule]) -> re.Pattern[bytes]:
    """The known fields at the beginning of an event, in their order, as nearly all senders write them.

    Each keeps its rule, and its number is one that the parser keeps. Where a rule is not told by a pattern, or the
    first field may be missing, the pattern matches nothing.
    """
    first, *others = rules
    if not first.required:
        return re.compile(_NEVER)
    return re.compile(rb"\{" + _field(first) + b"".join(map(_further, others)))


def _further(rule: FieldRule) -> bytes:
    field = rb", ?" + _field(rule)
    return field if rule.required else rb"(?:" + field + rb")?"


def _field(rule: FieldRule) -> bytes:
    return re.escape(orjson.dumps(rule.name)) + rb": ?" + _value(rule)


def _value(rule: FieldRule) -> bytes:
    if rule.kind == "time":
        return _time(rule)
    if rule.kind == "text":
        return _text(rule)
    if rule.kind == "bool" and not rule.choices:
        return rb"(?:true|false)"
    if rule.kind not in ("int", "float") or (rule.choices and rule.kind == "float"):
        return _NEVER
    if rule.choices:
        return _one_of(b"%d" % int(choice) for choice in rule.choices)
    least, most = rule.range
    if rule.is_above_minimum or rule.is_below_maximum:
        return _NEVER
    if rule.kind == "int" and most - least <= _MOST_NAMED:
        return _one_of(b"%d" % number for number in range(int(least), int(most) + 1))
    if least > 0 or most < _MOST_WRITTEN:
        return _NEVER
    sign = _SIGN if least <= -_MOST_WRITTEN else b""
    return sign + (_INTEGER if rule.kind == "int" else _NUMBER)


def _time(rule: FieldRule) -> bytes:
    return {_DAY_FIRST: _DATE, ISO: _ISO_DATE}.get(rule.time_form.form, _NEVER)


def _text(rule: FieldRule) -> bytes:
    if rule.choices:
        return _one_of(orjson.dumps(choice) for choice in rule.choices)
    most = rule.most_length
    if rule.pattern is not None or (most or rule.least_length) > _MOST_COUNTED:
        return _NEVER
    return b'"' + _PLAIN_TEXT + b"{%d,%s}" % (rule.least_length, b"" if most is None else b"%d" % most) + b'"'


def _one_of(texts: Iterable[bytes]) -> bytes:
    return rb"(?:" + b"|".join(map(re.escape, texts)) + rb")"
