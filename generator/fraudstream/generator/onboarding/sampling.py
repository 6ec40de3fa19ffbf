"""Rows of a file for a look at them: all of a small file, of a large one every so many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from fraudstream.core.contract.exact_json import Object, Written, as_written
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.files.cells import MISSING
from fraudstream.generator.files.columnar import Columnar, values_of
from fraudstream.generator.files.delimited import Delimited
from fraudstream.generator.files.documents import Documents
from fraudstream.generator.files.names import field_name, is_unnamed
from fraudstream.generator.files.opening import Kind, kind_of

MOST_ROWS = 200_000
# Of wide files fewer rows are looked at, and of JSON, which is slow to read.
_MOST_CELLS = 2_000_000
_MOST_DOCUMENTS = 50_000

Path_ = tuple[str, ...]
T = TypeVar("T")


class Texts:
    """Values that are texts, missing ones among them, for Arrow to look at: it is many times as fast as Python."""

    def __init__(self, values: list[Any]) -> None:
        self.values = _arrow(values)

    def __len__(self) -> int:
        return len(self.values) - self.missing

    @property
    def missing(self) -> int:
        return int(self.values.null_count)

    @cached_property
    def distinct(self) -> int:
        import pyarrow.compute as pc

        return int(pc.count_distinct(self.values).as_py())

    @cached_property
    def codes(self) -> Any:
        """For each value the number of its kind, as a numpy array; missing ones are of one kind."""
        import numpy as np
        import pyarrow.compute as pc

        places = pc.dictionary_encode(self.values, null_encoding="encode").indices
        return np.frombuffer(places.buffers()[1], dtype=np.int32, count=len(places))

    @cached_property
    def longest(self) -> int:
        """The characters of the longest one."""
        import pyarrow.compute as pc

        return int(pc.max(pc.utf8_length(self.values)).as_py() or 0)

    def all_match(self, pattern: str) -> bool:
        """Whether each text matches a regular expression (RE2)."""
        import pyarrow.compute as pc

        return bool(pc.all(self._matches(pattern)).as_py())

    def matching(self, pattern: str) -> list[str]:
        """The texts that match, each as often as it stands there."""
        texts: list[str] = self.values.filter(self._matches(pattern)).to_pylist()
        return texts

    def not_matching(self, pattern: str) -> list[str]:
        """The texts that do not match."""
        import pyarrow.compute as pc

        texts: list[str] = self.values.filter(pc.invert(self._matches(pattern))).to_pylist()
        return texts

    def _matches(self, pattern: str) -> Any:
        import pyarrow.compute as pc

        return pc.match_substring_regex(self.values, pattern)


def _arrow(values: list[Any]) -> Any:
    """Texts, None for missing ones, as Arrow's array. Arrow itself would import pandas to look at a list."""
    import numpy as np
    import pyarrow as pa

    texts = values if None not in values else ["" if value is None else value for value in values]
    joined = "".join(texts)
    content = joined.encode("utf-8", "surrogatepass")
    sizes: Iterable[int] = map(len, texts)
    if len(content) != len(joined):
        sizes = (len(text.encode("utf-8", "surrogatepass")) for text in texts)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, dtype=np.int64, count=len(texts)), out=offsets[1:])
    present = None
    if texts is not values:
        is_there = np.fromiter((value is not None for value in values), dtype=bool, count=len(values))
        present = pa.py_buffer(np.packbits(is_there, bitorder="little").tobytes())
    buffers = [present, pa.py_buffer(offsets.tobytes()), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


@dataclass
class Column:
    """One column of the sample; ``name`` is the field's, its path with dots, and ``column`` what the file calls it.

    ``values`` has a value for each row: a text, a number as :class:`Written`, a boolean, an object, a list, or None.
    ``is_plain_text``: all values are texts, also those that are numbers, as in CSV.
    """

    name: str
    path: Path_
    column: str
    values: list[Any] = field(repr=False)
    is_plain_text: bool = False
    is_unnamed: bool = False

    @cached_property
    def kinds(self) -> frozenset[type]:
        """The types of the values, without that of missing ones."""
        if self.is_plain_text:
            return frozenset({str} if self.written.missing < len(self.values) else ())
        return frozenset(map(type, self.values)) - {type(None)}

    @property
    def is_written(self) -> bool:
        """Whether all values are texts, or numbers as they were written."""
        return self.is_plain_text or self.kinds <= {str, Written}

    @cached_property
    def written(self) -> Texts:
        """The values of such a column."""
        return Texts(self.values)

    @cached_property
    def codes(self) -> Any:
        """For each row the number of its value's kind, as a numpy array."""
        if self.is_plain_text:
            return self.written.codes
        import numpy as np

        kinds: dict[Any, int] = {}
        places = (kinds.setdefault(value, len(kinds)) for value in self.values)
        return np.fromiter(places, dtype=np.int64, count=len(self.values))

    @cached_property
    def missing(self) -> int:
        """How many values are missing."""
        return self.written.missing if self.is_written else self.values.count(None)


@dataclass(slots=True)
class Sample:
    """What was looked at: ``count`` rows of the file's ``total``, the last one among them."""

    file: Path
    kind: Kind
    columns: list[Column]
    count: int
    total: int
    has_decimal_comma: bool = False

    @property
    def is_whole(self) -> bool:
        return self.count == self.total


def read_sample(file: Path) -> Sample:
    """A sample of the file. Raises :class:`ConfigurationError` for one that cannot be read, or has no rows."""
    kind = kind_of(file)
    if kind == "csv":
        sample = _of_csv(file)
    elif kind == "parquet":
        sample = _of_parquet(file)
    else:
        sample = _of_documents(file, kind)
    if not sample.count:
        raise ConfigurationError(f"{file} has no rows. Name a file of transactions.")
    return sample


def _thinned(rows: Iterable[T], most: int) -> tuple[list[T], int]:
    """At most ``most`` rows, evenly from all of them and the last one too, and how many there are."""
    kept: list[T] = []
    every, total = 1, 0
    last: T | None = None
    for row in rows:
        if total % every == 0:
            kept.append(row)
            if len(kept) > 2 * most:
                del kept[1::2]
                every *= 2
        last = row
        total += 1
    if len(kept) > most:
        wanted = len(kept)
        kept = [kept[at * wanted // most] for at in range(most)]
    if last is not None and kept[-1] is not last:
        kept[-1] = last
    return kept, total


def _of_csv(file: Path) -> Sample:
    table = Delimited(file)
    width = len(table.names)
    rows, total = _thinned(table.written_rows(), min(MOST_ROWS, _MOST_CELLS // width))
    for row in rows:
        if len(row) != width:
            row.extend([""] * (width - len(row)))
    columns = [
        Column(
            name,
            (name,),
            column,
            _present(cells),
            is_plain_text=True,
            is_unnamed=is_unnamed(column) and table.has_header,
        )
        for name, column, cells in zip(table.names, table.columns, zip(*rows, strict=False), strict=False)
    ]
    return Sample(file, "csv", columns, len(rows), total, table.has_decimal_comma)


def _present(cells: Sequence[str]) -> list[Any]:
    """The cells, None for missing ones; most columns have none."""
    if MISSING.isdisjoint(cells):
        return list(cells)
    return [None if cell in MISSING else cell for cell in cells]


def _of_parquet(file: Path) -> Sample:
    table = Columnar(file)
    most = min(MOST_ROWS, _MOST_CELLS // max(1, len(table.names)))
    every = -(-table.count // most)
    values: list[list[Any]] = [[] for _ in table.names]
    passed = 0
    for batch in table.batches():
        places = list(range(-passed % every, batch.num_rows, every))
        passed += batch.num_rows
        if passed == table.count and (not places or places[-1] != batch.num_rows - 1):
            places.append(batch.num_rows - 1)
        if places:
            chosen = batch.take(places) if every > 1 else batch
            for at, column in enumerate(values):
                column.extend(values_of(chosen.column(at)))
    columns: list[Column] = []
    for name, column, cells in zip(table.names, table.columns, values, strict=True):
        columns.extend(_flattened(name, column, cells))
        columns[-1].is_unnamed = is_unnamed(column) or column == "__index_level_0__"
    return Sample(file, "parquet", columns, len(values[0]) if values else 0, table.count)


def _of_documents(file: Path, kind: Kind) -> Sample:
    texts, total = _thinned(Documents(file, is_array=kind == "json").texts(), _MOST_DOCUMENTS)
    rows = [fields for fields in map(_fields, texts) if fields is not None]
    if not rows:
        raise ConfigurationError(f"{file} holds no JSON objects. Write one event a line, or all as one array.")
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(name for name, _ in row))
    placed = {name: at for at, name in enumerate(names)}
    values: list[list[Any]] = [[None] * len(rows) for _ in names]
    for number, row in enumerate(rows):
        for name, value in row:
            values[placed[name]][number] = value
    columns = [
        column
        for name, cells in zip(names, values, strict=True)
        for column in _flattened(field_name(name, 0), name, cells)
    ]
    return Sample(file, kind, columns, len(rows), total)


def _fields(text: str) -> Object | None:
    try:
        read = as_written(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, Object) else None


def _flattened(name: str, column: str, values: list[Any]) -> Iterator[Column]:
    """A column, or the columns of its objects' fields."""
    yield from _leaves((name,), column, values)


def _leaves(path: Path_, column: str, values: list[Any]) -> Iterator[Column]:
    if not any(isinstance(value, Object) for value in values) or any(
        value is not None and not isinstance(value, Object) for value in values
    ):
        yield Column(".".join(path), path, column, values)
        return
    names: dict[str, list[Any]] = {}
    for number, value in enumerate(values):
        for name, inner in value or ():
            if name not in names:
                names[name] = [None] * len(values)
            names[name][number] = inner
    for name, inner_values in names.items():
        if name and "." not in name and not name.startswith("$") and "\0" not in name:
            yield from _leaves((*path, name), f"{column}.{name}", inner_values)
