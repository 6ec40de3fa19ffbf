"""``fraudstream.toml``: what each field of an event is for."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from fraudstream.core.contract.times import EPOCH_START
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.places import read_text

FILE_NAME = "fraudstream.toml"

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
Edges = Annotated[tuple[int | float, ...], Field(min_length=1, strict=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Cost = Annotated[float, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class EventRoles(_Table):
    """The fields that the engine itself has to know. A field inside an object is named by its path, with dots."""

    id: Name = Field(description="Identifies the transaction: an integer of 64 bits or a text.")
    time: Name = Field(description="When the transaction was made.")
    time_format: Name = Field(
        description="How that time is written: `iso8601`, `epoch` (a number), or a form of strptime; a time without "
        "an offset is UTC."
    )
    time_unit: Literal["us", "ms", "s", "min", "h", "d"] = Field(
        "s", description="What a time of the format `epoch` counts."
    )
    time_origin: datetime = Field(
        EPOCH_START, strict=False, description="The moment from which a time of the format `epoch` counts, UTC."
    )
    amount: Name = Field(description="How much was paid: a number.")
    label: Name = Field(description="What labelled history has: 1 or true for a fraud, 0 or false for none.")
    entities: Names = Field((), description="The fields that name who takes part: a card, a customer, a terminal.")
    campaign: Name | None = Field(
        None, description="What labelled history has beside the label: the name of the scheme that a fraud belongs to."
    )
    partition_key: Name | None = Field(
        None, description="The field whose text is the key of a record in Kafka; without it the id."
    )


class Costs(_Table):
    """What a decision costs: a part for each transaction, and a share of its amount. In the amounts' money."""

    missed_fraud: Cost = Field(1.0, description="What a fraud costs that is let pass, beside the share of its amount.")
    missed_fraud_of_amount: Cost = Field(0.0, description="Which share of its amount such a fraud costs.")
    false_alert: Cost = Field(1.0, description="What it costs to refuse a legitimate transaction.")
    false_alert_of_amount: Cost = Field(0.0, description="Which share of its amount that costs.")
    review: Cost | None = Field(
        None,
        description="What it costs that a person looks at a transaction. With it there are three bands: approve, "
        "review and decline; without it, an alert counts as a refusal.",
    )


class ModelInputs(_Table):
    """What the model is given, and by what its threshold is chosen."""

    inputs: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] = Field(
        description="What the model scores by, in the order in which it gets it. Fields: numbers, booleans, and texts "
        "with listed values; a value that is missing or not listed is given as missing. Any other name is that of a "
        "column, a number, that the project's own query computes and gives to `udf.score`."
    )
    costs: Costs | None = Field(
        None,
        description="What decisions cost. The threshold is the cheapest one; without costs a missed fraud and a false "
        "alert count the same, and where frauds are rare, there are as many alerts as frauds.",
    )
    alert_budget: Share | None = Field(
        None, description="At most this share of the transactions are alerts, whatever the costs say."
    )
    label_delay_hours: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="How long after its transaction a label is known. Training leaves as much time between the rows "
        "that it learns from and those that it is measured on. By default `source.label_delay_hours`.",
    )


class Dimensions(_Table):
    """By what transactions are counted."""

    fields: Names = Field(
        (),
        description="Fields of few values, and numbers that have `edges`, in the order in which the pages show them.",
    )
    times: Annotated[tuple[Literal["hour", "weekday", "month_of_year"], ...], Field(strict=False)] = Field(
        ("hour",), description="Parts of the event's time, UTC, that are counted as well."
    )
    amount_edges: Edges = Field(
        (0, 25, 50, 100, 200, 400), description="Lower edges of the amount's bins, ascending; the last bin is open."
    )
    edges: dict[Name, Edges] = Field(
        {}, description="Lower edges of the bins of other numbers, by the field's name, ascending."
    )


class Display(_Table):
    """How people read the fields."""

    currency: Annotated[str, Field(max_length=12)] = Field(
        "", description="What stands behind amounts on the pages, such as `EUR`; empty: nothing."
    )
    labels: dict[Name, Name] = Field({}, description="How a field is called on the pages, by its name.")
    units: dict[Name, Name] = Field({}, description="What stands behind a field's numbers, by its name.")
    decimals: dict[Name, Annotated[int, Field(ge=0, le=10)]] = Field(
        {}, description="How many decimals of a field's numbers are shown, by its name."
    )
    values: dict[Name, dict[str, Name]] = Field(
        {},
        description="What a field's values are called on the pages, by the field's name and the value as text. A value "
        "called by a weekday's or month's English name is drawn in its place in the week or year.",
    )
    report: Names = Field(
        (),
        description="The dimensions that the history page shows first, in this order: fields, times and `amount_bin`; "
        "the others follow as the project lists them.",
    )


class Source(_Table):
    """Where history and live traffic come from: a simulator, or a file."""

    generator: Name | None = Field(None, description="A simulator of the distribution: `cards` or `payments`.")
    file: Name | None = Field(
        None, description="A file of transactions: CSV, JSON lines, a JSON array or Parquet; relative to the project."
    )
    columns: dict[Name, str] = Field(
        {}, description="The file's column of a field, where their names differ, by the field's name."
    )
    constants: dict[Name, bool | int | float | str] = Field(
        {}, description="Values of fields that the file lacks, by the field's name."
    )
    id: Literal["row", "hash"] | None = Field(
        None, description="How the id is made where the file has none: the row's number, or a digest of the row."
    )
    seconds_between_rows: Annotated[float, Field(gt=0)] | None = Field(
        None, description="How the time is made where the file has none: so many seconds from row to row."
    )
    fraud_values: Annotated[tuple[str | int | float | bool, ...], Field(strict=False)] = Field(
        (), description="The values of the label's column that mean fraud, where it is not 0 and 1."
    )
    history_count: Annotated[int, Field(ge=1)] = Field(
        20_000, description="How many labelled events a simulator makes where no number is asked for."
    )
    history_share: Share = Field(
        0.5, description="The first part of the file, in the order of time, that is labelled history."
    )
    label_delay_hours: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How long after its transaction a label is known, on the file's own time line."
    )


class Definition(_Table):
    """A whole ``fraudstream.toml``."""

    title: Name = Field(description="The project's name as people read it.")
    event: EventRoles
    model: ModelInputs
    categories: dict[Name, Names] = Field(
        {},
        description="Known values of texts, by the field's name. Others are taken as well, unlike those that an "
        "`enum` of the schema leaves out.",
    )
    dimensions: Dimensions = Dimensions()
    display: Display = Display()
    source: Source = Source()


def all_keys(table: type[BaseModel] = Definition, place: str = "") -> Iterator[tuple[str, str, FieldInfo]]:
    """Every key: its table (empty for the file's own, with dots for one inside another), its name, what it may be."""
    for name, field in table.model_fields.items():
        if (inner := _table_of(field.annotation)) is None:
            yield place, name, field
        else:
            yield from all_keys(inner, f"{place}.{name}" if place else name)


def _table_of(annotation: Any) -> type[BaseModel] | None:
    """The table that a key holds, also one that may be left out; None where it holds a value."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, _Table):
            return kind
    return None


def read_definition(folder: Path) -> Definition:
    """The definition in a project's folder.

    Raises :class:`ConfigurationError`, which names the file, the key and what is wrong with it.
    """
    file = folder / FILE_NAME
    try:
        content = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not TOML: {error}.") from None
    try:
        return Definition.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_problem(mistake) for mistake in error.errors())
        raise ConfigurationError(f"{file}: {problems}. docs/reference/project.md lists all keys.") from None


def _problem(error: Mapping[str, Any]) -> str:
    path = error["loc"]
    name = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        return f"{name} is no key of a project{_nearest(path)}"
    if error["type"] == "missing":
        return f"{name} is missing"
    message = error["msg"]
    return f"{name}: {message[:1].lower()}{message[1:]}, got {error['input']!r}"


def _nearest(path: tuple[Any, ...]) -> str:
    """The known key that an unknown one may have meant."""
    table: type[BaseModel] = Definition
    for step in path[:-1]:
        inner = _table_of(table.model_fields[str(step)].annotation)
        if inner is None:
            return ""
        table = inner
    nearest = difflib.get_close_matches(str(path[-1]), table.model_fields, 1)
    return f"; is {nearest[0]} meant?" if nearest else ""
