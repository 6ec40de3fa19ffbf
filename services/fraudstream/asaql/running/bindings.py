"""Which files hold an input's records, and in which format."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudstream.asaql.project_files.folder import QueryProject, inside
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.core.errors import ConfigurationError

JSON, CSV, PARQUET = "json", "csv", "parquet"
_ENDINGS = {
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".csv": CSV,
    ".tsv": CSV,
    ".parquet": PARQUET,
}
_PACKED = (".gz", ".gzip")
_PARQUET_MARK, _AVRO_MARK, _GZIP_MARK = b"PAR1", b"Obj\x01", b"\x1f\x8b"
_MARKS = (b"\xef\xbb\xbf",)
_NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "space": " ", "pipe": "|"}
_FORMATS = ("json", "csv", "parquet")


@dataclass(frozen=True, slots=True)
class Binding:
    """The files of one input, read in this order; ``delimiter`` None: the one that a file's first row shows."""

    name: str
    format: str
    files: tuple[Path, ...]
    delimiter: str | None = None


def parse_pairs(texts: Iterable[str], option: str) -> dict[str, list[str]]:
    """``NAME=PATH`` of an option that may be given several times; a text without a name stands under ``""``.

    Raises :class:`ConfigurationError`.
    """
    pairs: dict[str, list[str]] = {}
    for text in texts:
        # A path may have the sign, too, as folders of a partition do.
        name, sign, path = ("", "", text) if Path(text).exists() else text.partition("=")
        name, path = (name.strip(), path) if sign else ("", text)
        if not path or (sign and not name):
            raise ConfigurationError(f"{option} {text!r}: NAME=PATH is wanted, such as {option} Input=records.json.")
        pairs.setdefault(name, []).append(path)
    return pairs


def given_bindings(
    pairs: dict[str, list[str]], names: Sequence[str], option: str, project: QueryProject
) -> dict[str, Binding]:
    """The bindings of an option for the query's inputs ``names``, by their spelling there.

    Raises :class:`ConfigurationError` for a name that the query does not read, and for a path where nothing is.
    """
    known = {name.casefold(): name for name in names}
    bindings = {}
    for written, paths in pairs.items():
        if not written and len(names) != 1:
            raise ConfigurationError(
                f"{option} {paths[0]}: which input is it? The query reads {listed(names)}: {option} NAME={paths[0]}."
            )
        name = known.get(written.casefold()) if written else names[0]
        if name is None:
            raise ConfigurationError(f"{option} {written}: the query does not read it; it reads {listed(names)}.")
        described = project.local_input(name) or project.live_input(name)
        files = tuple(file for path in paths for file in found(path, f"{option} {name}"))
        bindings[name] = bound(name, files, described.entries if described else InputFile())
    return bindings


def project_binding(name: str, project: QueryProject) -> Binding | None:
    """The records that a project brings for an input, in a local input's file."""
    place = project.local_input(name)
    if place is None or place.records is None:
        return None
    what = f"{place.file}: FilePath"
    files = found(str(place.records), what)
    if place.root is not None:
        # A pattern may have met a link.
        files = [inside(file, (place.root,), what) for file in files]
    return bound(name, tuple(files), place.entries)


def bound(name: str, files: tuple[Path, ...], described: InputFile) -> Binding:
    """The input with its files; what they are is said by their names, else by the project, else by their first bytes.

    Raises :class:`ConfigurationError` for a format that is not read.
    """
    formats = {_format(file, described) for file in files}
    if len(formats) != 1:
        raise ConfigurationError(f"The files of the input {name} have several formats: {listed(sorted(formats))}.")
    format = formats.pop()
    return Binding(name, format, files, _delimiter(name, files, described) if format == CSV else None)


def found(path: str, what: str) -> list[Path]:
    """The files of a path: itself, those of a folder, or those of a pattern, in the order of their names.

    Raises :class:`ConfigurationError` where there are none.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        files = sorted(file for file in place.iterdir() if file.is_file() and not file.name.startswith((".", "_")))
    elif place.exists():
        files = [place]
    else:
        files = sorted(file for file in map(Path, glob.glob(str(place), recursive=True)) if file.is_file())  # noqa: PTH207
    if not files:
        raise ConfigurationError(f"{what}: there is no file {path}.")
    return files


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return ", ".join(names) if names else "nothing"


def _format(file: Path, described: InputFile) -> str:
    endings = [ending.lower() for ending in file.suffixes]
    while endings and endings[-1] in _PACKED:
        endings.pop()
    known = _ENDINGS.get(endings[-1]) if endings else None
    if known is None and described.format in _FORMATS:
        known = described.format
    first = _first_bytes(file)
    if first.startswith(_AVRO_MARK) or described.format == "avro":
        raise ConfigurationError(f"{file} is Avro, which is not read here. Write its records as JSON lines.")
    if described.format not in ("", *_FORMATS) and known is None:
        raise ConfigurationError(
            f"{file}: the format {described.format} is not read here. Write its records as JSON lines."
        )
    if first.startswith(_PARQUET_MARK):
        return PARQUET
    # Some tools name any file .json, and some .txt.
    if known == CSV and first.lstrip()[:1] in (b"{", b"["):
        return JSON
    return known or (JSON if first.lstrip()[:1] in (b"{", b"[", b"") else CSV)


def _first_bytes(file: Path) -> bytes:
    import gzip

    try:
        with file.open("rb") as opened:
            first = opened.read(64)
        if first.startswith(_GZIP_MARK):
            with gzip.open(file) as unpacked:
                first = unpacked.read(64)
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{file} cannot be read ({error}). Name another file.") from error
    for mark in _MARKS:
        first = first.removeprefix(mark)
    return first


def _delimiter(name: str, files: Sequence[Path], described: InputFile) -> str | None:
    written = described.delimiter
    if not written:
        return "\t" if all(".tsv" in file.suffixes for file in files) else None
    delimiter = _NAMED_DELIMITERS.get(written.lower(), written)
    if len(delimiter) != 1:
        raise ConfigurationError(f"The input {name} has the delimiter {written!r}, and one character is wanted.")
    return delimiter
