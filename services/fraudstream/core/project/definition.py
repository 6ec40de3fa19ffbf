"""``fraudstream.toml``: what each field of an event is for."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.places import read_text

FILE_NAME = "fraudstream.toml"

Name = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EventRoles(_Table):
    """The fields that the engine itself has to know."""

    id: Name = Field(description="Identifies the transaction: an integer of 64 bits.")
    time: Name = Field(description="When the transaction was made.")
    time_format: Name = Field(
        description="How that time is written: a form of strptime; a time without an offset is UTC."
    )
    amount: Name = Field(description="How much was paid: a number.")
    label: Name = Field(description="What labelled history has: 1 for a fraud, 0 for none.")


class ModelInputs(_Table):
    """What the model is given."""

    inputs: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] = Field(
        description="The fields that the model scores by, in the order in which it gets them."
    )


class Dimensions(_Table):
    """By what transactions are counted."""

    fields: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        (), description="Fields of few values, in the order in which the pages show them."
    )
    amount_edges: Annotated[tuple[int, ...], Field(min_length=1, strict=False)] = Field(
        (0, 25, 50, 100, 200, 400), description="Lower edges of the amount's bins, ascending; the last bin is open."
    )


class Definition(_Table):
    """A whole ``fraudstream.toml``."""

    title: Name = Field(description="The project's name as people read it.")
    event: EventRoles
    model: ModelInputs
    dimensions: Dimensions = Dimensions()


def all_keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every key: its table (empty for the file's own), its name, and what it may be."""
    for name, field in Definition.model_fields.items():
        table = field.annotation
        if isinstance(table, type) and issubclass(table, _Table):
            yield from ((name, key, inner) for key, inner in table.model_fields.items())
        else:
            yield "", name, field


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
        annotation = table.model_fields[str(step)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        table = annotation
    nearest = difflib.get_close_matches(str(path[-1]), table.model_fields, 1)
    return f"; is {nearest[0]} meant?" if nearest else ""
