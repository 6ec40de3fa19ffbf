"""A query project: a folder with `asaproj.json`, or a query's file alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fraudstream.asaql.project_files.models import (
    FunctionFile,
    InputFile,
    JobConfig,
    OutputFile,
    ProjectFile,
    local_path,
    new_job,
)
from fraudstream.asaql.text.encoding import text_of
from fraudstream.core.project.definition import FILE_NAME
from fraudstream.core.project.json_text import ProjectFileError, read_bytes, read_json
from fraudstream.core.project.outputs import PROJECT_FILE as PROJECT_FILE
from fraudstream.core.project.outputs import QUERY_FOLDER

JOB_FILE = "JobConfig.json"
QUERY_ENDING = ".asaql"
_LOCAL_PREFIX = "local_"
# Folders that the tools fill, for a project that lists no files.
_FOLDERS = {"Inputs": "Input", "Outputs": "Output", "Functions": "Function"}


@dataclass(frozen=True, slots=True)
class InputPlace:
    """An input and the file that says so; ``root``: the folder that its file of records has to be in, if any."""

    file: Path
    entries: InputFile
    root: Path | None = None

    @property
    def alias(self) -> str:
        """Its name in the query: the file's own entry, else the file's name without the prefix of local inputs."""
        if self.entries.alias:
            return self.entries.alias
        stem = self.file.stem
        return stem[len(_LOCAL_PREFIX) :] if stem.lower().startswith(_LOCAL_PREFIX) else stem

    @property
    def records(self) -> Path | None:
        """The file of records of a local input, absolute.

        Raises :class:`ProjectFileError` for one outside of ``root``.
        """
        if not self.entries.file_path:
            return None
        path = local_path(self.entries.file_path, self.file.parent).absolute()
        return path if self.root is None else inside(path, (self.root,), f"{self.file}: FilePath")


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """An output and the file that says so."""

    file: Path
    entries: OutputFile

    @property
    def alias(self) -> str:
        """Its name in the query."""
        return self.entries.alias or self.file.stem


@dataclass(frozen=True, slots=True)
class PythonPlace:
    """A function in Python: its name in a file, or in a module that can be imported."""

    file: Path | None
    module: str
    function: str


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """A user's function; ``script`` is its JavaScript, or None for one without, such as Azure ML's."""

    file: Path
    entries: FunctionFile
    script: Path | None
    python: PythonPlace | None = None

    @property
    def name(self) -> str:
        """Its name behind ``udf.`` or ``uda.``."""
        return self.entries.name or self.file.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class QueryProject:
    """A query and what stands beside it. ``notes`` say what of the project is not there."""

    name: str
    folder: Path
    query_file: Path
    text: str
    job: JobConfig = field(default_factory=new_job)
    project_file: Path | None = None
    inputs: tuple[InputPlace, ...] = ()
    outputs: tuple[OutputPlace, ...] = ()
    functions: tuple[FunctionPlace, ...] = ()
    notes: tuple[str, ...] = ()

    def live_input(self, alias: str) -> InputPlace | None:
        """The service that the input is in Azure; names match in any case."""
        return self._input(alias, mock=False)

    def local_input(self, alias: str) -> InputPlace | None:
        """The file of records that stands for the input on this machine."""
        return self._input(alias, mock=True)

    def _input(self, alias: str, *, mock: bool) -> InputPlace | None:
        wanted = alias.casefold()
        places = (place for place in self.inputs if place.entries.is_mock == mock and place.alias.casefold() == wanted)
        return next(places, None)

    def function(self, name: str) -> FunctionPlace | None:
        """The function of a name, in any case."""
        return next((place for place in self.functions if place.name.casefold() == name.casefold()), None)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the project was read from."""
        parts: tuple[InputPlace | OutputPlace | FunctionPlace, ...] = (*self.inputs, *self.outputs, *self.functions)
        scripts = [place.script for place in self.functions if place.script is not None]
        scripts += [place.python.file for place in self.functions if place.python and place.python.file]
        own = (self.query_file, *([] if self.project_file is None else [self.project_file, self.folder / JOB_FILE]))
        return (*own, *(part.file for part in parts), *scripts)


def read_project(path: Path) -> QueryProject:
    """The project of a folder, of its `asaproj.json`, or of a query's file.

    A query's file that the `asaproj.json` beside it starts with is that project's. Raises :class:`ProjectFileError`,
    and :class:`QueryError` for a query's file that is no text.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise ProjectFileError(f"{path} is not there. Name a query's file, or a folder with {PROJECT_FILE}.")
    if path.name.lower() == PROJECT_FILE:
        return _whole(path)
    if path.suffix.lower() == ".asaproj":
        raise ProjectFileError(
            f"{path} is a project of Visual Studio. Name the query's file, or export the job for Visual Studio Code, "
            f"which writes {PROJECT_FILE}."
        )
    beside = path.parent / PROJECT_FILE
    if beside.is_file():
        start = ProjectFile.read(beside).start_file
        if start and _same(local_path(start, path.parent), path):
            return _whole(beside)
    return QueryProject(path.stem, path.parent, path, _query_text(path))


def root_of(folder: Path) -> Path:
    """The folder whose files a project may name: its own, or that of the Fraudstream project that it is part of."""
    whole = folder.resolve()
    is_part = whole.name == QUERY_FOLDER and (whole.parent / FILE_NAME).is_file()
    return whole.parent if is_part else whole


def inside(path: Path, roots: Iterable[Path], what: str) -> Path:
    """The path, if it leads into one of the folders, links followed. Raises :class:`ProjectFileError`.

    Whoever runs a project of somebody else's would otherwise read their own files for it.
    """
    allowed = [root.resolve() for root in roots]
    if not any(path.resolve().is_relative_to(root) for root in allowed):
        raise ProjectFileError(
            f"{what}: {path} lies outside of the project's folder {allowed[0]}. A project names its own files: copy "
            "it there, or give an input's records with --input NAME=FILE."
        )
    return path


def _query_text(file: Path) -> str:
    return text_of(read_bytes(file), str(file))


def _of_folder(folder: Path) -> QueryProject:
    file = folder / PROJECT_FILE
    if file.is_file():
        return _whole(file)
    if (folder / QUERY_FOLDER / PROJECT_FILE).is_file():
        # One of Fraudstream's own.
        return _whole(folder / QUERY_FOLDER / PROJECT_FILE)
    queries = sorted(file for file in folder.iterdir() if file.suffix.lower() == QUERY_ENDING)
    if len(queries) == 1:
        return read_project(queries[0])
    there = f"{', '.join(query.name for query in queries)} are there: name one" if queries else "nor a query's file"
    raise ProjectFileError(f"{folder} holds no {PROJECT_FILE}; {there}.")


def unlisted_project(query: Path) -> QueryProject:
    """The project of a query's file without an `asaproj.json`: the files in the folders beside it belong to it.

    Raises as :func:`read_project`.
    """
    return _with_parts(query, ProjectFile(name=query.stem), None)


def _whole(file: Path) -> QueryProject:
    listed = ProjectFile.read(file)
    return _with_parts(_query_file(file, listed), listed, file)


def _with_parts(query: Path, listed: ProjectFile, file: Path | None) -> QueryProject:
    folder = query.parent if file is None else file.parent
    notes: list[str] = []
    inputs: list[InputPlace] = []
    outputs: list[OutputPlace] = []
    functions: list[FunctionPlace] = []
    job = new_job()
    root = root_of(folder)
    for part, sub_type in _parts(folder, listed):
        inside(part, (root,), f"{file}: filePath")
        if not part.is_file():
            notes.append(f"{part} is not there, and {PROJECT_FILE} lists it.")
            continue
        kind = sub_type.lower()
        if kind == "jobconfig":
            job = JobConfig.read(part)
        elif kind in ("input", "inputmock"):
            inputs.append(InputPlace(part, InputFile.read(part), root))
        elif kind == "output":
            outputs.append(OutputPlace(part, OutputFile.read(part)))
        elif "function" in kind:
            functions.append(_function(part))
            _require_inside(functions[-1], root)
    _require_one_each(inputs)
    return QueryProject(
        name=listed.name or folder.resolve().name,
        folder=folder,
        query_file=query,
        text=_query_text(query),
        job=job,
        project_file=file,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        functions=tuple(functions),
        notes=tuple(notes),
    )


def _query_file(file: Path, listed: ProjectFile) -> Path:
    if listed.start_file:
        query = inside(local_path(listed.start_file, file.parent), (root_of(file.parent),), f"{file}: startFile")
        if not query.is_file():
            raise ProjectFileError(f"{file}: startFile: {listed.start_file} is not there. Name the query's file.")
        return query
    queries = sorted(file.parent.glob(f"*{QUERY_ENDING}"))
    if len(queries) != 1:
        raise ProjectFileError(f"{file}: startFile: the query's file has to be named; {len(queries)} are beside it.")
    return inside(queries[0], (root_of(file.parent),), str(file))


def _parts(folder: Path, listed: ProjectFile) -> Iterator[tuple[Path, str]]:
    """The files beside the query, each with what it is."""
    if listed.configurations:
        for part in listed.configurations:
            yield local_path(part.file_path, folder), part.sub_type
        return
    if (folder / JOB_FILE).is_file():
        yield folder / JOB_FILE, "JobConfig"
    for name, sub_type in _FOLDERS.items():
        for file in sorted((folder / name).glob("*.json")):
            # Records of local inputs lie beside the files that describe them.
            value = read_json(file) if sub_type == "Input" else {}
            if sub_type != "Input" or (isinstance(value, dict) and _is_description(value)):
                yield file, sub_type
    for file in sorted((folder / "Functions").glob("*.py")):
        if not any(described.is_file() for described in (file.with_suffix(".json"), Path(f"{file}.json"))):
            yield file, "Function"


def _is_description(value: dict[str, object]) -> bool:
    return str({key.lower(): part for key, part in value.items()}.get("scripttype", "")).lower().startswith("input")


def _function(file: Path) -> FunctionPlace:
    if file.suffix.lower() in (".js", ".py"):
        described = file.with_name(f"{file.name}.json")
        entries = FunctionFile.read(described) if described.is_file() else FunctionFile()
        is_python = file.suffix.lower() == ".py"
        return FunctionPlace(file, entries, None if is_python else file, _python(file, entries) if is_python else None)
    entries = FunctionFile.read(file)
    stem = file.name[: -len(file.suffix)]
    if entries.script_type.lower().startswith("python"):
        return FunctionPlace(file, entries, None, _python(file.with_name(f"{stem.removesuffix('.py')}.py"), entries))
    scripts = (file.with_name(stem), file.with_name(f"{stem}.js"))
    return FunctionPlace(
        file, entries, next((script for script in scripts if script.suffix == ".js" and script.is_file()), None)
    )


def _python(file: Path, entries: FunctionFile) -> PythonPlace:
    """What `Function` names, `main` of the file beside by default."""
    place, _, function = entries.function.strip().rpartition(":")
    if not place:
        return PythonPlace(file, "", function or "main")
    is_file = place.lower().endswith(".py")
    return PythonPlace(local_path(place, file.parent), "", function) if is_file else PythonPlace(None, place, function)


def _require_inside(function: FunctionPlace, root: Path) -> None:
    for script in (function.script, function.python.file if function.python else None):
        if script is not None:
            inside(script, (root,), str(function.file))


def _require_one_each(inputs: Iterable[InputPlace]) -> None:
    """Raise where two files describe one input."""
    known: dict[tuple[str, bool], Path] = {}
    for place in inputs:
        key = (place.alias.casefold(), place.entries.is_mock)
        if key in known:
            raise ProjectFileError(
                f"{place.file}: the input {place.alias} is described in {known[key]} already. Give one another alias."
            )
        known[key] = place.file


def _same(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()
