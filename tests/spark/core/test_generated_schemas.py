"""The readers in Python and in Java give the same verdict on the events of any schema, and read the same from them."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.core.contract.event import RESERVED_FIELDS
from fraudstream.core.contract.exact_json import fields_of
from fraudstream.core.contract.field_rules import FieldRule, as_double, leaves, value_at
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.core.project.project import Project, read_project
from fraudstream.spark.contract_file import contract_json
from tests.odd_events import TEXTS, text_of, written

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

SCHEMAS, EVENTS = 30, 150
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = [
    "v",
    "V",
    "a.b",
    "balance.before",
    "d/w",
    "é",
    "shop kind",
    'q"',
    "back\\",
    "\U0001f600",
    "x" * 70,
    "[/b]",
    "id ",
]
FORMS = ["iso8601", "epoch", "%d/%m/%Y %H:%M:%S", "%y%m%d%I%M%p", "%d-%b-%Y", "%m/%d/%Y %H:%M:%S.%f%z", "%Y.%m.%d (%H)"]
PATTERNS = ["^[0-9]{2,4}$", "a", "^\\d+-\\w*$", "^(?:x|y).z", "[^&&a]", "\\s", "^$", "[\\s\\d]+$", "(?=.*b)^a"]


class Generator:
    """Makes projects, and events for them, from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def maybe(self, share: float = 0.5) -> bool:
        return self.rng.random() < share

    def field(self, depth: int = 0) -> dict[str, Any]:
        kinds = ["integer", "number", "boolean", "string", "string", *(["object", "array"] if depth < 3 else [])]
        kind = self.rng.choice(kinds)
        schema: dict[str, Any] = {"type": [kind, "null"] if self.maybe(0.3) else kind}
        if kind in ("integer", "number"):
            schema |= self.numeric(kind)
        elif kind == "boolean" and self.maybe(0.3):
            schema["enum"] = self.rng.choice([[True], [False], [True, False, None]])
        elif kind == "string":
            schema |= self.textual()
        elif kind == "object":
            schema |= self.object(self.rng.sample(NAMES, self.rng.randrange(1, 4)), depth + 1)
        elif kind == "array":
            schema |= {"items": self.field(depth + 1)} if self.maybe(0.8) else {}
            schema |= {"minItems": 1} if self.maybe(0.3) else {}
            schema |= {"maxItems": 2} if self.maybe(0.3) else {}
        return schema

    def numeric(self, kind: str) -> dict[str, Any]:
        if self.maybe(0.2):
            return {
                "enum": self.rng.choice(
                    [[0, 1], [-5, 7, 2**53 + 1], [2**62 + 1]] if kind == "integer" else [[0, 0.1, 2.5]]
                )
            }
        bounds: dict[str, Any] = {}
        if self.maybe():
            least = self.rng.choice([0, -3, 1.5, -(2**53) - 1, -(2**63), -1e300, 0.1])
            bounds[self.rng.choice(["minimum", "exclusiveMinimum"])] = least
        if self.maybe():
            most = self.rng.choice([2, 7.5, 2**53 + 1, 2**63 - 1, 2**63, 3.4028234663852886e38, 1e300])
            bounds[self.rng.choice(["maximum", "exclusiveMaximum"])] = most
        return bounds

    def textual(self) -> dict[str, Any]:
        kind = self.rng.randrange(5)
        if kind == 0:
            return {"enum": self.rng.choice([["a", "é", 'q"'], [f"kind-{n}" for n in range(40)]])}
        if kind == 1:
            return {"pattern": self.rng.choice(PATTERNS)}
        if kind == 2:
            return {"format": self.rng.choice(["uuid", "ipv4", "email"])}
        lengths = {"minLength": self.rng.randrange(4)} if self.maybe() else {}
        return lengths | ({"maxLength": self.rng.choice([3, 4, 300])} if self.maybe() else {})

    def object(self, names: list[str], depth: int) -> dict[str, Any]:
        fields = {name: self.field(depth) for name in names}
        return {"properties": fields, "required": [name for name in names if self.maybe()]}

    def project(self, folder: Path, number: int) -> Project:
        """A project of any fields, whose id, time, amount and label may be of any kind that these may have."""
        form = FORMS[number % len(FORMS)]
        flat = number % 3 == 0
        names = self.rng.sample(NAMES, self.rng.randrange(2, 9))
        described = self.object(names, depth=9 if flat else 0)
        described["properties"] |= {
            "key": {"type": "integer"} if self.maybe() else {"type": "string", "minLength": 1, "maxLength": 36},
            "at": {"type": "number" if form == "epoch" else "string"},
            "money": {"type": self.rng.choice(["number", "integer"])},
            "bad": {"type": ["boolean", "null"]} if self.maybe() else {"type": "integer", "minimum": 0, "maximum": 1},
            "open": {"type": "string"},
        }
        described["required"] += ["key", "at", "money"]
        folder.mkdir()
        (folder / "event.schema.json").write_text(json.dumps({"type": "object", **described}), "utf-8")
        unit, origin = self.rng.choice(["us", "ms", "s", "min", "d"]), self.rng.choice([EPOCH, datetime(2017, 12, 1)])
        inputs = ["money", "open", *(name for name in self.inputs(described))]
        lines = ['title = "t"', "[event]", 'id = "key"', 'time = "at"', f'time_format = "{form}"']
        lines += [f'time_unit = "{unit}"', f"time_origin = {origin.isoformat()}", 'amount = "money"', 'label = "bad"']
        lines += [
            "[model]",
            f"inputs = {json.dumps(inputs, ensure_ascii=False)}",
            "[categories]",
            'open = ["x", "café", "12.5"]',
        ]
        (folder / "fraudstream.toml").write_text("\n".join(lines), "utf-8")
        return read_project(folder)

    def inputs(self, described: dict[str, Any]) -> list[str]:
        names = []
        for name, field in described["properties"].items():
            is_known = name in ("key", "at", "money", "bad", "open")
            if not is_known and any(kind in str(field["type"]) for kind in ("integer", "number", "boolean")):
                names.append(name)
        return names

    def event(self, project: Project) -> bytes:
        parts = [
            text_of(rule.path[-1], self.rng) + ":" + self.value(rule)
            for rule in project.rules
            if rule.required or self.maybe(0.8)
        ]
        if self.maybe(0.2):
            parts.append(text_of(self.rng.choice(NAMES), self.rng) + ": " + written(self.rng))
        if self.maybe(0.05):
            parts.append(self.rng.choice(parts))
        if self.maybe(0.1):
            self.rng.shuffle(parts)
        return ("{" + self.rng.choice([",", ", "]).join(parts) + "}").encode("utf-8", "surrogatepass")

    def value(self, rule: FieldRule) -> str:
        """Mostly what the rule allows, as JSON."""
        if self.maybe(0.02):
            return self.rng.choice([written(self.rng), "null"])
        if rule.is_nullable and self.maybe(0.2):
            return "null"
        if rule.kind == "object":
            fields = [
                text_of(field.path[-1], self.rng) + ": " + self.value(field)
                for field in rule.fields
                if field.required or self.maybe()
            ]
            return "{" + ", ".join(fields) + "}"
        if rule.kind == "array":
            count = self.rng.randrange(rule.least_length, min(rule.most_length or 4, 4) + 1)
            return (
                "[" + ",".join(self.value(rule.items) if rule.items else written(self.rng) for _ in range(count)) + "]"
            )
        tries = [self.scalar(rule) for _ in range(1 if self.maybe(0.02) else 9)]
        return next((text for text in tries if rule.problem(*fields_of('{"":' + text + "}")[0][1:]) is None), tries[0])

    def scalar(self, rule: FieldRule) -> str:
        if rule.kind == "time":
            return self.time(rule)
        if rule.kind == "bool":
            return self.rng.choice(["true", "false"])
        return self.text(rule) if rule.kind == "text" else self.number(rule)

    def time(self, rule: FieldRule) -> str:
        assert rule.time is not None
        moment = EPOCH + timedelta(microseconds=self.rng.randrange(-(10**16), 10**17))
        if rule.time.is_number:
            stamp = str(rule.time.write(moment))
            return self.rng.choice(
                [
                    stamp,
                    stamp,
                    stamp.split(".")[0],
                    "1e9",
                    "1.7e9",
                    "1699999999.9999999",
                    "0",
                    "-0.0",
                    "0e-50",
                    "1e-50",
                    "1" * 30,
                ]
            )
        text = str(rule.time.write(moment))
        if rule.time.form == "iso8601":
            text = self.rng.choice(
                [
                    text,
                    text[:19],
                    text[:10],
                    text[:19].replace("T", " ") + "+05:30",
                    text[:16] + "Z",
                    text[:19] + ",5-0930",
                    text[:19] + ".1234567z",
                    "0001-01-01T00:00:00+01:00",
                    "2024-02-30",
                    "9999-12-31T23:59:59.999999999",
                ]
            )
        return json.dumps(self.rng.choice([text, text, text, text + " ", text.replace("1", "9"), text.lower()]))

    def text(self, rule: FieldRule) -> str:
        shaped = [
            "0b2a5a5e-1d1c-4a5e-9d43-0a1b2c3d4e5f",
            "10.0.0.255",
            "a@b.c",
            "12",
            "1-x",
            "x.z",
            "b",
            "a\n",
            "é",
            "\U0001f600" * 3,
        ]
        return text_of(self.rng.choice(list(rule.known_values) * 3 or [*shaped, *TEXTS]), self.rng)

    def number(self, rule: FieldRule) -> str:
        near = [rule.minimum, rule.maximum, *rule.choices, 0, 1]
        chosen = self.rng.choice([number for number in near if number is not None])
        if rule.kind == "int":
            return str(int(chosen) + self.rng.choice([0, 0, 1, -1]))
        number = float(chosen)
        return self.rng.choice(
            [
                repr(number),
                str(chosen),
                repr(math.nextafter(number, math.inf)),
                repr(math.nextafter(number, -math.inf)),
                repr(self.rng.uniform(-5, 5)),
                f"{self.rng.uniform(0, 9):.19f}",
                "1e-7",
                "-2.5E+3",
            ]
        )


def expected(project: Project, gate: Gate, raw: bytes) -> tuple[Any, ...]:
    try:
        fields = gate.read(raw)
    except EventError as error:
        return str(error), error.field
    rules = {rule.name: rule for rule in leaves(project.rules)}
    time = rules["at"].time
    assert time is not None
    micros = (time.parse(fields["at"]) - EPOCH) // timedelta(microseconds=1)
    return (
        None,
        None,
        micros,
        str(fields["key"]),
        [number(rules[name], fields) for name in project.definition.model.inputs],
    )


def number(rule: FieldRule, fields: dict[str, Any]) -> float | None:
    value = value_at(fields, rule.path)
    if isinstance(value, str):
        return float(rule.known_values.index(value)) if value in rule.known_values else None
    return float(value) if isinstance(value, bool) else as_double(value)


def test_both_readers_agree_on_any_schema(spark: SparkSession, tmp_path: Path) -> None:
    jvm: Any = spark._jvm
    contracts, reader = jvm.fraudstream.contract.Contract, jvm.fraudstream.contract.EventReader
    generator = Generator(20261130)
    accepted = 0
    for schema in range(SCHEMAS):
        project = generator.project(tmp_path / str(schema), schema)
        gate = Gate(project.rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
        contract = contracts.of(contract_json(project))
        for _ in range(EVENTS):
            raw = generator.event(project)
            event = reader.readAny(contract, bytearray(raw), False)
            reading: tuple[Any, ...] = event.reason(), event.field()
            if reading[0] is None:
                inputs = [None if math.isnan(value) else value for value in event.features()]
                reading += event.micros(), event.key(), inputs
                accepted += 1
            assert reading == expected(project, gate, raw), (
                raw,
                (tmp_path / str(schema) / "event.schema.json").read_text(),
            )
    assert SCHEMAS * EVENTS / 5 < accepted < SCHEMAS * EVENTS * 4 / 5
