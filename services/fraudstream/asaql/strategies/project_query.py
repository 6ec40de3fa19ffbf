"""A project's query: the files of its folder `stream-analytics`, else the canonical text; what they bind to."""

from __future__ import annotations

from pathlib import Path

from fraudstream.asaql.project_files.folder import (
    PROJECT_FILE,
    OutputPlace,
    QueryProject,
    read_project,
    unlisted_project,
)
from fraudstream.asaql.template import query_text
from fraudstream.asaql.template.files import QUERY, source_text
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.json_text import read_text
from fraudstream.core.project.outputs import QUERY_FOLDER, hub_entry, topic_of
from fraudstream.core.project.project import Project

# The function that is the model wherever no file says otherwise.
MODEL_FUNCTION = "score"
_WITHOUT_MODEL = ("csharp", "clr", "js")


def project_query(project: Project) -> QueryProject:
    """The query of a project. Raises :class:`ProjectFileError`, :class:`QueryError` for a file that is no text.

    A project without one gets the canonical text, of which no file is read.
    """
    folder = project.folder / QUERY_FOLDER
    if (folder / PROJECT_FILE).is_file():
        return read_project(folder)
    if (folder / QUERY).is_file():
        return unlisted_project(folder / QUERY)
    return QueryProject(project.name, folder, Path(QUERY_FOLDER, QUERY), query_text(project))


def canonical_text(project: Project) -> str | None:
    """The canonical text; None for a project whose times the language cannot read, which has its own query alone."""
    try:
        return query_text(project)
    except ConfigurationError:
        return None


def models_of(project: QueryProject) -> frozenset[str]:
    """The names behind ``udf.`` that are the model, in lower case: functions without a script, and `score`."""
    names = {
        place.name.casefold()
        for place in project.functions
        if place.script is None
        and place.python is None
        and not place.entries.script_type.lower().startswith(_WITHOUT_MODEL)
    }
    own = project.function(MODEL_FUNCTION)
    return frozenset(names if own is not None else {*names, MODEL_FUNCTION})


def source_functions(project: QueryProject) -> frozenset[str]:
    """The names behind ``udf.`` of the canonical script that says where an event came from, in lower case."""
    canonical = source_text()
    return frozenset(
        place.name.casefold()
        for place in project.functions
        if place.script is not None and read_text(place.script) == canonical
    )


def input_topic(project: QueryProject, alias: str) -> str:
    """The topic behind an input's name: its hub's, else the name itself."""
    place = project.live_input(alias)
    return (hub_entry(place.entries.further, "EventHubName") if place is not None else "") or alias


def output_topic(project: QueryProject, name: str) -> str:
    """The topic of an output: its hub's, else the output's name."""
    place = _output(project, name)
    return name if place is None else topic_of(place.entries.further, name)


def output_key(project: QueryProject, name: str) -> str | None:
    """The column whose value is the key of an output's records; None where no file says so."""
    place = _output(project, name)
    return (hub_entry(place.entries.further, "PartitionKey") if place is not None else "") or None


def _output(project: QueryProject, name: str) -> OutputPlace | None:
    return next((place for place in project.outputs if place.alias.casefold() == name.casefold()), None)
