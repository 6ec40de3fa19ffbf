"""The files of a project by their entries. What Microsoft's tools write beyond these is kept and not checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fraudstream.core.project.json_text import ProjectFileError, read_json

Read = TypeVar("Read", bound="Entries")

MOST_LATE_SECONDS = 1_814_399
NEW_JOB_LATE_SECONDS = 5
STREAM, REFERENCE = "stream", "reference"
_REFERENCE_WORD = "reference"


class Entries(BaseModel):
    """A JSON object of a project. Keys are found in any case, as Microsoft's tools do."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    @classmethod
    def of(cls: type[Read], value: Any, file: Path | str) -> Read:
        """The entries of a JSON value. Raises :class:`ProjectFileError` with the file and the key."""
        if not isinstance(value, Mapping):
            raise ProjectFileError(f"{file}: a JSON object is wanted, and this is {_kind(value)}.")
        try:
            return cls.model_validate(_known_keys(cls, value))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            given = "" if first["type"] == "missing" else f" (it is {_shown(first['input'])})"
            raise ProjectFileError(f"{file}: {key}: {_sentence(first['msg'])}{given}.") from error

    @classmethod
    def read(cls: type[Read], file: Path) -> Read:
        """The entries of a file. Raises :class:`ProjectFileError`."""
        return cls.of(read_json(file), file)

    @property
    def further(self) -> dict[str, Any]:
        """The entries that have no name here, as the file has them."""
        return dict(self.__pydantic_extra__ or {})


def _known_keys(model: type[BaseModel], value: Any) -> Any:
    """The object with the known keys in the spelling of the model, also in the objects of its entries."""
    if not isinstance(value, Mapping):
        return value
    names = {(field.alias or name).lower(): (field.alias or name) for name, field in model.model_fields.items()}
    models = {(field.alias or name): field.annotation for name, field in model.model_fields.items()}
    known: dict[str, Any] = {}
    for key, part in value.items():
        name = names.get(str(key).lower(), str(key))
        inner = _model_in(models.get(name))
        if inner is not None:
            part = [_known_keys(inner, entry) for entry in part] if isinstance(part, list) else _known_keys(inner, part)
        known[name] = part
    return known


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an entry holds, by itself, in a list, or as one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in models if model is not None), None)


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else _kind(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _none_as_default(default: Any) -> BeforeValidator:
    # The tools write null for what was not chosen.
    return BeforeValidator(lambda value: default if value is None else value)


def _one_of(*words: str) -> BeforeValidator:
    """The word in its usual spelling, whatever case the file has it in."""

    def usual(value: Any) -> Any:
        by_case = {word.lower(): word for word in words}
        return by_case.get(value.lower(), value) if isinstance(value, str) else value

    return BeforeValidator(usual)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, _none_as_default("")]


class Configuration(Entries):
    """One file of the project, as `asaproj.json` lists it."""

    file_path: str = Field(alias="filePath", min_length=1)
    sub_type: Text = Field("", alias="subType")


class ProjectFile(Entries):
    """`asaproj.json`: the query's file and the files beside it."""

    name: Text = ""
    start_file: Text = Field("", alias="startFile")
    configurations: Annotated[tuple[Configuration, ...], _none_as_default(())] = ()


class JobConfig(Entries):
    """`JobConfig.json`: how the job treats late events and errors. Times are seconds."""

    data_locale: Annotated[str, _none_as_default("en-US")] = Field("en-US", alias="DataLocale")
    output_error_policy: Annotated[
        Literal["Stop", "Retry", "Drop"], _one_of("Stop", "Retry", "Drop"), _none_as_default("Retry")
    ] = Field("Retry", alias="OutputErrorPolicy")
    # -1: an event may be as late as it likes.
    late_seconds: Annotated[int, _none_as_default(-1)] = Field(
        -1, alias="EventsLateArrivalMaxDelayInSeconds", ge=-1, le=MOST_LATE_SECONDS
    )
    disorder_seconds: Annotated[int, _none_as_default(0)] = Field(0, alias="EventsOutOfOrderMaxDelayInSeconds", ge=0)
    disorder_policy: Annotated[Literal["Adjust", "Drop"], _one_of("Adjust", "Drop"), _none_as_default("Adjust")] = (
        Field("Adjust", alias="EventsOutOfOrderPolicy")
    )
    streaming_units: Annotated[str, BeforeValidator(_as_text), _none_as_default("1")] = Field(
        "1", alias="StreamingUnits"
    )
    level: Annotated[Literal["1.0", "1.1", "1.2"], BeforeValidator(_as_text), _none_as_default("1.2")] = Field(
        "1.2", alias="CompatibilityLevel"
    )


def new_job() -> JobConfig:
    """What counts without a `JobConfig.json`: a new job's values in Azure."""
    return JobConfig(EventsLateArrivalMaxDelayInSeconds=NEW_JOB_LATE_SECONDS)


class Serialization(Entries):
    """How an input's or an output's records are written."""

    type: Text = Field("", alias="Type")
    encoding: Text = Field("", alias="Encoding")
    field_delimiter: Text = Field("", alias="FieldDelimiter")
    delimiter: Text = Field("", alias="Delimiter")


class ServiceFile(Entries):
    """What inputs and outputs have in common: a service, and how records are written."""

    name: Text = Field("", alias="Name")
    source: Text = Field("", alias="DataSourceType")
    serialization: Annotated[Serialization, _none_as_default(Serialization())] = Field(
        Serialization(), alias="Serialization"
    )


class InputFile(ServiceFile):
    """An input: a live one, or a file of records in its place (`InputMock`), in either of its two layouts."""

    input_alias: Text = Field("", alias="InputAlias")
    type: Text = Field("", alias="Type")
    format_name: Text = Field("", alias="Format")
    field_delimiter: Text = Field("", alias="FieldDelimiter")
    own_delimiter: Text = Field("", alias="Delimiter")
    file_path: Text = Field("", alias="FilePath")
    compression: Text = Field("", alias="CompressionType")
    script_type: Text = Field("", alias="ScriptType")

    @property
    def alias(self) -> str:
        """The input's name in the query; empty where the file has none."""
        return self.input_alias or self.name

    @property
    def kind(self) -> str:
        """:data:`STREAM` or :data:`REFERENCE`."""
        return REFERENCE if self.type.lower().startswith(_REFERENCE_WORD) else STREAM

    @property
    def format(self) -> str:
        """The format's name in small letters, such as `json` or `csv`; empty where the file has none."""
        return (self.format_name or self.serialization.type).strip().lower()

    @property
    def delimiter(self) -> str:
        """What separates the fields of CSV; empty where the file does not say."""
        written = self.serialization
        return self.field_delimiter or self.own_delimiter or written.field_delimiter or written.delimiter

    @property
    def is_mock(self) -> bool:
        """Whether it is a file of records on this machine."""
        return self.script_type.lower() == "inputmock" or self.source.lower() == "local input"


class OutputFile(ServiceFile):
    """An output."""

    output_alias: Text = Field("", alias="OutputAlias")

    @property
    def alias(self) -> str:
        """The output's name in the query; empty where the file has none."""
        return self.output_alias or self.name


class FunctionParameter(Entries):
    """One argument of a function."""

    data_type: Annotated[str, _none_as_default("any")] = Field("any", alias="DataType")


class FunctionFile(Entries):
    """A user's function: JavaScript, Azure ML, C#, or Python, which is ours."""

    name: Text = Field("", alias="Name")
    type: Annotated[Literal["Scalar", "Aggregate"], _one_of("Scalar", "Aggregate"), _none_as_default("Scalar")] = Field(
        "Scalar", alias="Type"
    )
    script_type: Text = Field("", alias="ScriptType")
    inputs: Annotated[tuple[FunctionParameter, ...], _none_as_default(())] = Field((), alias="FunctionInputs")
    output_type: Annotated[str, _none_as_default("any")] = Field("any", alias="OutputType")
    # Of Python's: `module:function`, or `file.py:function`.
    function: Text = Field("", alias="Function")


class ExpectedOutput(Entries):
    """What a test case expects of one output."""

    alias: str = Field(alias="OutputAlias", min_length=1)
    file_path: str = Field(alias="FilePath", min_length=1)
    required: Annotated[bool, _none_as_default(True)] = Field(True, alias="Required")
    # Ours: columns that the comparison leaves out, such as what a model says.
    ignored: Annotated[tuple[str, ...], _none_as_default(())] = Field((), alias="IgnoredColumns")


class TestCase(Entries):
    """A case of `testConfig.json`: the records of each input, and what is expected."""

    __test__ = False  # of a user, and none of pytest's

    name: str = Field(alias="Name", min_length=1)
    inputs: Annotated[tuple[InputFile, ...], _none_as_default(())] = Field((), alias="Inputs")
    expected: Annotated[tuple[ExpectedOutput, ...], _none_as_default(())] = Field((), alias="ExpectedOutputs")


class TestConfig(Entries):
    """`testConfig.json`."""

    __test__ = False

    script: Text = Field("", alias="Script")
    cases: Annotated[tuple[TestCase, ...], _none_as_default(())] = Field((), alias="TestCases")


def local_path(written: str, folder: Path) -> Path:
    """A path as a project has it, also with Windows' separators, from the folder of the file that names it."""
    return folder / PurePosixPath(written.strip().replace("\\", "/"))
