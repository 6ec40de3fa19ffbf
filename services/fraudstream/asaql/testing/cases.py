"""The test cases of a project, with their files found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fraudstream.asaql.compiling import Compiled
from fraudstream.asaql.project_files.folder import QueryProject, inside, read_project, root_of
from fraudstream.asaql.project_files.models import REFERENCE, TestCase, TestConfig, local_path
from fraudstream.asaql.running.bindings import Binding, bound, found, listed, project_binding
from fraudstream.asaql.template.cases import TESTS
from fraudstream.core.project.json_text import ProjectFileError
from fraudstream.core.project.outputs import QUERY_FOLDER

CONFIG_NAME = "testConfig.json"
_FOLDERS = ("test", "tests", "Test", ".")


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file, and the project that they test."""

    config: Path
    project: QueryProject
    cases: tuple[TestCase, ...]

    @property
    def files(self) -> Iterator[Path]:
        """Every file that the suite reads."""
        yield self.config
        yield from self.project.files
        for case in self.cases:
            paths = (*(entry.file_path for entry in case.inputs), *(entry.file_path for entry in case.expected))
            yield from (local_path(path, self.config.parent) for path in paths if path)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders whose files the cases may name: the project's and that of the cases."""
        return root_of(self.project.folder), self.config.parent

    def file(self, written: str, what: str) -> Path:
        """A file that a case names, absolute. Raises :class:`ProjectFileError` for one outside of :attr:`roots`."""
        return inside(local_path(written, self.config.parent).absolute(), self.roots, what)

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the inputs that any case has reference data for."""
        inputs = (source for case in self.cases for source in case.inputs)
        return tuple(dict.fromkeys(source.alias for source in inputs if source.kind == REFERENCE))


def read_suite(place: Path, config: Path | None) -> Suite:
    """The suite of a project, or of a file of test cases. Raises :class:`ProjectFileError`."""
    if place.is_file() and place.name.lower() == CONFIG_NAME.lower() and config is None:
        return suite_of(place)
    project = read_project(place)
    file = config or _config_of(project)
    return _suite(file, project)


def suite_of(config: Path) -> Suite:
    """The suite of a file of test cases, whose project lies in its folder or one above, or is its `Script`."""
    for folder in (config.parent, *list(config.resolve().parents)[1:3]):
        if (folder / "asaproj.json").is_file() or len(list(folder.glob("*.asaql"))) == 1:
            return _suite(config, read_project(folder))
    script = TestConfig.read(config).script
    if script and local_path(script, config.parent).is_file():
        return _suite(config, read_project(local_path(script, config.parent)))
    raise ProjectFileError(f"{config}: there is no asaproj.json and no query beside it or in the folders above.")


def _suite(config: Path, project: QueryProject) -> Suite:
    if not config.is_file():
        raise ProjectFileError(f"{config} is not there. Name the file of test cases with --config.")
    cases = TestConfig.read(config).cases
    if not cases:
        raise ProjectFileError(f"{config}: TestCases is empty.")
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise ProjectFileError(f"{config}: two cases have the name {name!r}. Give one another.")
    return Suite(config, project, cases)


def _config_of(project: QueryProject) -> Path:
    places = [project.folder / folder / CONFIG_NAME for folder in _FOLDERS]
    if project.folder.name == QUERY_FOLDER:
        places.append(project.folder.parent / TESTS / CONFIG_NAME)
    return next((place for place in places if place.is_file()), places[0])


def case_bindings(suite: Suite, case: TestCase, query: Compiled) -> Mapping[str, Binding]:
    """The files of each input in a case; one that the case lacks is taken from the project.

    Raises :class:`ProjectFileError` for an input without a file.
    """
    given = {source.alias.casefold(): source for source in case.inputs}
    bindings = {}
    for name in (*query.streams, *query.references):
        described = given.pop(name.casefold(), None)
        if described is not None:
            if not described.file_path:
                raise ProjectFileError(f"{suite.config}: {case.name}: {name}: FilePath is missing.")
            what = f"{suite.config}: {case.name}: {name}"
            files = found(str(suite.file(described.file_path, what)), what)
            bindings[name] = bound(name, tuple(inside(file, suite.roots, what) for file in files), described)
        elif (own := project_binding(name, suite.project)) is not None:
            bindings[name] = own
        else:
            raise ProjectFileError(
                f"{suite.config}: {case.name}: the input {name} has no records. Add it to the case's Inputs."
            )
    if given:
        names = listed([source.alias for source in given.values()])
        raise ProjectFileError(f"{suite.config}: {case.name}: the query does not read {names}.")
    return bindings
