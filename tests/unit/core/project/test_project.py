"""A project's folder: what is read from it, and how what cannot be run is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.contract.field_rules import DATE_FORMAT
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project import places
from fraudstream.core.project.project import bundled, read_project

Schema = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled project, to be changed."""
    copy = tmp_path / "my-fraud"
    shutil.copytree(places.bundled_folder() / "payments", copy)
    return copy


def change_schema(folder: Path, change: Callable[[Schema], object]) -> None:
    file = folder / "event.schema.json"
    schema = json.loads(file.read_text("utf-8"))
    change(schema)
    file.write_text(json.dumps(schema), "utf-8")


def change_definition(folder: Path, old: str, new: str) -> None:
    file = folder / "fraudstream.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_payments_is_bundled() -> None:
    project = bundled("payments")
    assert places.bundled_names() == ["payments"]
    assert (project.name, project.definition.title) == ("payments", "Payments")
    assert project.definition.event.time_format == DATE_FORMAT
    largest = {rule.name: rule.maximum for rule in project.rules if rule.kind == "float"}
    assert largest == dict.fromkeys(("amount", "old_balance", "income"), LARGEST_SINGLE)


def test_an_unknown_project_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no project 'payment'\. There are: payments\."):
        bundled("payment")


def test_a_folder_is_read_as_the_bundled_one_is(folder: Path) -> None:
    project = read_project(folder)
    assert project.name == "my-fraud"
    assert project.rules == bundled("payments").rules


def test_renamed_fields_are_the_projects_own(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_text(file.read_text("utf-8").replace('"isFraud"', '"TX_FRAUD"'), "utf-8")
    project = read_project(folder)
    assert project.definition.event.label == "TX_FRAUD"
    assert project.rules[-1].name == "TX_FRAUD"


@pytest.mark.parametrize("name", ["fraudstream.toml", "event.schema.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=rf"{name} cannot be read \(No such file or directory\)"):
        read_project(folder)


def test_a_byte_order_mark_is_passed_over(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_project(folder).rules == bundled("payments").rules


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[model]", "[modell]", r"model is missing; modell is no key of a project; is model meant\?"),
        (
            'amount = "amount"',
            'ammount = "amount"',
            r"event\.amount is missing; event\.ammount is no .*is amount",
        ),
        ('id = "id"', "id = 7", r"event\.id: input should be a valid string, got 7"),
        ('id = "id"', 'id = "number"', "event.id is 'number', which event.schema.json has no property for"),
        ('id = "id"', 'id = "amount"', "event.id is 'amount', a finite number"),
        ('label = "isFraud"', 'label = "day_of_week"', "event.label is 'day_of_week', one of monday"),
        ('"foreign_transaction",\n', '"isFraud",\n', r"model\.inputs\[11\] is 'isFraud', which no model may be given"),
        ('"month", "cat', '"months", "cat', r"dimensions\.fields\[1\] is 'months', which event"),
        ("[0, 25,", "[25, 25,", r"dimensions\.amount_edges are not ascending"),
        ('"%d/%m/%Y %H:%M:%S"', '"%Y"', "event.time_format is '%Y'"),
        ("[event]", "[event", "is not TOML: "),
    ],
)
def test_a_definition_that_cannot_be_run_says_what_to_correct(folder: Path, old: str, new: str, message: str) -> None:
    change_definition(folder, old, new)
    with pytest.raises(ConfigurationError, match=message):
        read_project(folder)


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (lambda schema: schema.update(type="array"), "its root", "an event is a JSON object"),
        (lambda schema: schema.update(oneOf=[]), "/oneOf", "the keyword 'oneOf' is not supported"),
        (lambda schema: schema.update(additionalProperties=False), "/additionalProperties", "unknown fields are kept"),
        (lambda schema: schema.update({"$schema": "http://json-schema.org/draft-07/schema#"}), r"/\$schema", "draft"),
        (lambda schema: schema["required"].append("shop"), "/required/14", "'shop' is not among"),
        (
            lambda schema: schema["properties"]["amount"].update(multipleOf=0.01),
            "/properties/amount/multipleOf",
            "keyw",
        ),
        (lambda schema: schema["properties"]["amount"].update(minimum="0"), "/properties/amount/minimum", "a number"),
        (lambda schema: schema["properties"]["month"].update(type="object"), "/properties/month/type", "expected one"),
        (
            lambda schema: schema["properties"]["month"].update(type=["integer", "null"]),
            "/properties/month/type",
            "null",
        ),
        (lambda schema: schema["properties"]["day_of_week"].pop("enum"), "/properties/day_of_week/enum", "list"),
        (lambda schema: schema["properties"]["day_of_week"]["enum"].append("sunday"), "/properties/day_of_", "twice"),
        (lambda schema: schema["properties"].update({"a/b~c": {"type": "text"}}), "/properties/a~1b~0c/type", "expect"),
        (lambda schema: schema["properties"].update(shop=True), "/properties/shop", "described by an object"),
        (lambda schema: schema["properties"]["date"].update(type="integer"), "/properties/date/type", "is a string"),
        (lambda schema: schema.update(required="id"), "/required", "expected a list of names"),
        (lambda schema: schema["required"].append({"id": 1}), "/required/14", "is not among"),
        (lambda schema: schema["properties"]["month"].update(type=[{}]), "/properties/month/type", "expected one"),
        (lambda schema: schema.update(properties={}), "/properties", "no fields"),
    ],
)
def test_a_schema_is_refused_by_place(
    folder: Path, change: Callable[[Schema], object], place: str, message: str
) -> None:
    change_schema(folder, change)
    with pytest.raises(ConfigurationError, match=rf"event\.schema\.json, at {place}.*: .*{message}"):
        read_project(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_schema_that_is_no_json_object_is_refused(folder: Path, text: str) -> None:
    (folder / "event.schema.json").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=r"event\.schema\.json"):
        read_project(folder)


@pytest.mark.parametrize("name", ["fraudstream.toml", "event.schema.json"])
def test_a_file_in_another_encoding_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes("é".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=rf"{name} is not UTF-8 text\. Save it as UTF-8\."):
        read_project(folder)


def test_a_schema_nested_without_end_is_refused(folder: Path) -> None:
    (folder / "event.schema.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(ConfigurationError, match=r"event\.schema\.json is not JSON: "):
        read_project(folder)
