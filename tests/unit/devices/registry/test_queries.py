"""The query language selects twins, and names what it does not have."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.devices.errors import HubRefused
from fraudstream.devices.registry import queries

TWINS: list[dict[str, Any]] = [
    {"deviceId": "a", "tags": {"town": "Bern", "floor": 1}, "capabilities": {"iotEdge": True}, "parentScopes": []},
    {"deviceId": "b", "tags": {"town": "O'Hara"}, "capabilities": {"iotEdge": False}, "parentScopes": ["s-1"]},
    {
        "deviceId": "c",
        "tags": {"floor": "1"},
        "capabilities": {"iotEdge": False},
        "properties": {"reported": {"x": 2}},
    },
]


def ids(text: str) -> str:
    return "".join(row["deviceId"] for row in queries.parse(text).run(TWINS))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("capabilities.iotEdge = true", "a"),
        ("devices.capabilities.iotEdge = false", "bc"),
        ("tags.town = 'Bern' OR deviceId = \"c\"", "ac"),
        ("tags.town = 'O''Hara'", "b"),
        ("tags.town != 'Bern'", "b"),
        ("NOT tags.town = 'Bern'", "b"),
        ("tags.floor = 1", "a"),
        ("tags.floor < 2 AND tags.floor >= 1", "a"),
        ("properties.reported.x > 1.5", "c"),
        ("deviceId IN ['a', 'c']", "ac"),
        ("deviceId NIN ['a', 'c']", "b"),
        ("array_contains(parentScopes, 's-1')", "b"),
        ("IS_DEFINED(tags.town)", "ab"),
        ("NOT IS_DEFINED(tags.town)", "c"),
        ("STARTSWITH(tags.town, 'B') OR ENDSWITH(tags.town, 'ara')", "ab"),
        ("(deviceId = 'a' OR deviceId = 'b') AND tags.floor = 1", "a"),
        ("IS_STRING(tags.floor)", "c"),
        ("tags.[[town]] = 'Bern'", "a"),
    ],
)
def test_a_condition_selects(condition: str, expected: str) -> None:
    assert ids(f"SELECT * FROM devices WHERE {condition}") == expected  # noqa: S608


def test_columns_a_count_and_a_limit() -> None:
    assert queries.parse("select deviceId as id, tags.town from devices").run(TWINS) == [
        {"id": "a", "town": "Bern"},
        {"id": "b", "town": "O'Hara"},
        {"id": "c"},
    ]
    assert queries.parse("SELECT COUNT() AS total FROM devices WHERE tags.floor = 1").run(TWINS) == [{"total": 1}]
    assert ids("SELECT TOP 2 * FROM devices") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT * FROM",
        "SELECT * FROM devices.modules",
        "SELECT * FROM devices WHERE",
        "SELECT * FROM devices WHERE a =",
        "SELECT * FROM devices WHERE a = 'open",
        "SELECT * FROM devices WHERE LOWER(a) = 'x'",
        "SELECT * FROM devices GROUP BY tags.town",
        "SELECT * FROM devices; DROP TABLE devices",
        "SELECT * FROM devices WHERE " + "(" * 5_000,
        "SELECT * FROM devices WHERE a = '" + "x" * 9_000 + "'",
        "SELECT TOP -1 * FROM devices",
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str) -> None:
    with pytest.raises(HubRefused, match="cannot be read"):
        queries.parse(text)
