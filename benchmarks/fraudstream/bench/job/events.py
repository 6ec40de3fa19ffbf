"""Events of a project, malformed and odd ones among them, made from its rules and a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from fraudstream.bench.harness.made_events import made_events
from fraudstream.core.contract.field_rules import FieldRule, leaves, value_at
from fraudstream.core.project.project import Project

_FIRST_ID = 1
# Every so many events one is malformed, or odd.
_EVERY = 4
_LARGE = 50_000

Bytes = Callable[[dict[str, Any], FieldRule], bytes]


def _with(event: dict[str, Any], rule: FieldRule, value: Any) -> bytes:
    changed: dict[str, Any] = orjson.loads(orjson.dumps(event))
    inside = changed
    for part in rule.path[:-1]:
        inside = inside[part]
    inside[rule.path[-1]] = value
    return orjson.dumps(changed)


def _without(event: dict[str, Any], rule: FieldRule) -> bytes:
    changed: dict[str, Any] = orjson.loads(orjson.dumps(event))
    inside = changed
    for part in rule.path[:-1]:
        inside = inside[part]
    inside.pop(rule.path[-1], None)
    return orjson.dumps(changed)


def _other_case(event: dict[str, Any], rule: FieldRule) -> bytes:
    name = rule.path[0]
    return orjson.dumps(event | {(name.upper() if name != name.upper() else name.lower()): "another"})


def _renamed(event: dict[str, Any], rule: FieldRule) -> bytes:
    name = rule.path[0]
    return orjson.dumps({(other.upper() if other == name else other): value for other, value in event.items()})


def _spaced(event: dict[str, Any], _: FieldRule) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_INDENT_2) + b" \n"


def _raw(text: bytes) -> Bytes:
    return lambda _event, _rule: text


def _added(text: bytes) -> Bytes:
    """The event with members of JSON as they are."""
    return lambda event, _: orjson.dumps(event)[:-1] + b"," + text + b"}"


def _value(value: Any) -> Bytes:
    return lambda event, rule: _with(event, rule, value)


KINDS: Mapping[str, Bytes] = {
    "a field is missing": _without,
    "null": _value(None),
    "a number as text": lambda event, rule: _with(event, rule, str(value_at(event, rule.path))),
    "a text": _value("nothing that is known"),
    "an empty text": _value(""),
    "a number": _value(17),
    "a fraction": _value(0.1),
    "below zero": _value(-1),
    "a large number": _value(1e300),
    "true": _value(True),
    "an object": _value({"x": 1}),
    "a list": _value([1]),
    "another case beside it": _other_case,
    "another case instead": _renamed,
    "line ends": _spaced,
    "empty": _raw(b""),
    "no JSON": _raw(b"{'id': 1}"),
    "a list of events": _raw(b"[{}]"),
    "no text": _raw(b"\xff\xfe\x00"),
    "nothing behind a comma": lambda event, _: orjson.dumps(event)[:-1] + b",}",
    "a field twice": lambda event, rule: (
        orjson.dumps(event)[:-1] + b"," + orjson.dumps({rule.path[0]: event.get(rule.path[0])})[1:]
    ),
    "cut off": lambda event, _: orjson.dumps(event)[:-100],
    "unknown fields": _added(
        b'"note":"caf\xc3\xa9 \\"x\\" \\u0001","deep":{"a":[1,{"B":2,"b":3}]},"PartitionId":"mine"'
    ),
    "money as written": _added(b'"price":12.50,"fee":1e2,"none":null'),
    "digits that no double has": _added(b'"exact":0.12345678901234567890123,"long":123456789012345678901234567'),
    "NaN": _added(b'"x":NaN'),
    "half a character": _added(b'"x":"\\ud800"'),
    "a reserved name": _added(b'"score":1'),
    "a name of an operator": _added(b'"$set":1'),
    "too deep": _added(b'"x":' + b"[" * 150 + b"]" * 150),
    "very long": _added(b'"x":"' + b"x" * _LARGE + b'"'),
}


def odd_events(project: Project, count: int, seed: int) -> Iterator[bytes]:
    """Events of which every fourth is of one of :data:`KINDS`, each with each field in turn; the same for a seed."""
    rules, kinds = list(leaves(project.rules)), list(KINDS.values())
    number = 0
    for place, event in enumerate(made_events(project, count, _FIRST_ID, seed)):
        if place % _EVERY:
            yield orjson.dumps(event)
            continue
        kind, rule = kinds[number % len(kinds)], rules[number // len(kinds) % len(rules)]
        number += 1
        yield kind(event, rule)
