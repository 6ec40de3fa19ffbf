"""A project's folder: what is read from it, and how what cannot be run is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.contract.field_rules import leaves
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


def test_two_projects_are_bundled() -> None:
    assert places.bundled_names() == ["cards", "payments"]
    project = bundled("payments")
    assert (project.name, project.definition.title) == ("payments", "Payments")
    assert project.definition.event.time_format == "%d/%m/%Y %H:%M:%S"
    largest = {rule.name: rule.maximum for rule in project.rules if rule.kind == "float"}
    assert largest == dict.fromkeys(("amount", "old_balance", "income"), LARGEST_SINGLE)
    cards = bundled("cards").definition
    assert (cards.event.partition_key, cards.event.entities) == ("card", ("customer", "card", "terminal"))
    assert cards.event.campaign not in cards.model.inputs


def test_an_unknown_project_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no project 'payment'\. There are: cards, payments\."):
        bundled("payment")


def test_a_folder_is_read_as_the_bundled_one_is(folder: Path) -> None:
    project = read_project(folder)
    assert project.name == "my-fraud"
    assert project.rules == bundled("payments").rules


def test_renamed_fields_are_the_projects_own(folder: Path) -> None:
    for file in folder.glob("*.*"):
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
    for file in folder.glob("*.*"):
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
        ("[model]", "[model]\nthreshold = 0.5", r"model\.threshold is no key of a project"),
        ('"month", "cat', '"month", "month", "cat', r"dimensions\.fields\[2\] is 'month', which stands before"),
        ('"month", "cat', '"income", "cat', r"'income', a number of many values: give dimensions\.edges\.income"),
        ('"month", "cat', '"id", "cat', r"'id', which each transaction has a value of its own for"),
        (
            "[dimensions]",
            "[dimensions]\nedges.income = [2, 2]",
            r"dimensions\.edges\.income are not ascending: \[2, 2\]",
        ),
        ("[dimensions]", "[dimensions]\nedges.day_of_week = [2]", r"edges\.day_of_week is one of .*, no number"),
        ("[model]", "[categories]\nmonth = ['1']\n[model]", "categories.month is .*: only texts have them"),
        ("[model]", "[categories]\nday_of_week = ['a']\n[model]", "categories.day_of_week has an enum"),
        (
            'label = "isFraud"',
            'label = "foreign_transaction"',
            "'foreign_transaction', which .* requires: live traffic",
        ),
        ('label = "isFraud"', 'label = "month"', "'month', an integer from 1 to 12: it has to be 0 or 1"),
        ("labels = {", 'labels = { shop = "Shop",', r"display\.labels\.shop is 'shop', which event\.schema"),
        ('label = "isFraud"', 'label = "isFraud"\nentities = ["card"]', r"event\.entities\[0\] is 'card', which"),
        (
            'label = "isFraud"',
            'label = "isFraud"\npartition_key = "isFraud"',
            "partition_key is 'isFraud', which .* not req",
        ),
        ('label = "isFraud"', 'label = "isFraud"\ntime_unit = "week"', r"event\.time_unit: input should be 'us', 'ms'"),
        ('label = "isFraud"', 'label = "isFraud"\ncampaign = "scheme"', r"event\.campaign is 'scheme', which"),
        ('label = "isFraud"', 'label = "isFraud"\ncampaign = "credit"', "campaign is 'credit'. It has to be a text"),
        ("[dimensions]", "[model.costs]\nreview = -1\n[dimensions]", r"model\.costs\.review: input should be greater"),
        (
            "[dimensions]",
            "[model.costs]\nmissed = 1\n[dimensions]",
            r"model\.costs\.missed is no key of a project; is missed_fraud meant\?",
        ),
        ("[model]", "[model]\nalert_budget = 0", r"model\.alert_budget: input should be greater than 0"),
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
        (lambda schema: schema["properties"]["month"].update(type="set"), "/properties/month/type", "expected one"),
        (lambda schema: schema["properties"]["month"].update(type="object"), "/properties/month/minimum", "keyword"),
        (lambda schema: schema["properties"]["day_of_week"]["enum"].append("sunday"), "/properties/day_of_", "twice"),
        (lambda schema: schema["properties"].update({"a/b~c": {"type": "text"}}), "/properties/a~1b~0c/type", "expect"),
        (lambda schema: schema["properties"].update(shop=True), "/properties/shop", "described by an object"),
        (lambda schema: schema["properties"]["date"].update(type="integer"), "/properties/date/type", "is a string"),
        (lambda schema: schema.update(required="id"), "/required", "expected a list of names"),
        (lambda schema: schema["required"].append({"id": 1}), "/required/14", "is not among"),
        (lambda schema: schema["properties"]["month"].update(type=[{}]), "/properties/month/type", "expected one"),
        (lambda schema: schema.update(properties={}, required=[]), "/properties", "no fields"),
    ],
)
def test_a_schema_is_refused_by_place(
    folder: Path, change: Callable[[Schema], object], place: str, message: str
) -> None:
    change_schema(folder, change)
    with pytest.raises(ConfigurationError, match=rf"event\.schema\.json, at {place}.*: .*{message}"):
        read_project(folder)


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ({"type": "string"}, "minLength is 0 and maxLength None .* An id has 1 to 255 characters"),
        ({"type": "string", "minLength": 1, "maxLength": 256}, "maxLength 256"),
        ({"type": "number"}, "event.id is 'id', a finite number"),
        ({"type": ["integer", "null"]}, "lets be null"),
    ],
)
def test_an_id_has_to_identify(folder: Path, field: Schema, problem: str) -> None:
    change_schema(folder, lambda schema: schema["properties"].update(id=field))
    with pytest.raises(ConfigurationError, match=problem):
        read_project(folder)


def test_a_text_may_be_the_id_and_fields_of_objects_have_roles(folder: Path) -> None:
    uuid = {"type": "string", "format": "uuid", "minLength": 1, "maxLength": 36}
    merchant = {"type": "object", "properties": {"mcc": {"type": "integer"}}, "required": ["mcc"]}

    def change(schema: Schema) -> None:
        schema["properties"] |= {"id": uuid, "merchant": merchant}
        schema["required"].append("merchant")

    change_schema(folder, change)
    change_definition(folder, '"foreign_transaction",\n', '"merchant.mcc",\n')
    change_definition(folder, 'label = "isFraud"', 'label = "isFraud"\nentities = ["merchant.mcc"]')
    project = read_project(folder)
    assert project.definition.model.inputs[-1] == "merchant.mcc"
    assert [rule.path for rule in leaves(project.rules)][-1] == ("merchant", "mcc")


@pytest.mark.parametrize("other", [{"type": "object"}, {"type": ["object", "null"]}])
def test_an_amount_inside_an_object_that_may_be_missing_is_refused(folder: Path, other: Schema) -> None:
    def move(schema: Schema) -> None:
        amount = schema["properties"].pop("amount")
        schema["required"].remove("amount")
        schema["properties"]["paid"] = other | {"properties": {"amount": amount}, "required": ["amount"]}
        schema["required"] += ["paid"] if other["type"] != "object" else []

    change_schema(folder, move)
    change_definition(folder, 'amount = "amount"', 'amount = "paid.amount"')
    change_definition(folder, '    "amount",\n', '    "paid.amount",\n')
    with pytest.raises(ConfigurationError, match=r"event\.amount is 'paid\.amount', .* or an object that it is in"):
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
