"""Parquet: columns of types, read as the values that a text would have."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fraudstream.core.contract.exact_json import Object, Written
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.files.names import field_names

_BATCH = 8192


class Columnar:
    """A Parquet file: ``columns`` as its schema has them, ``names`` as an event has them."""

    has_decimal_comma = False

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            content = file if file.suffix != ".gz" else io.BytesIO(gzip.decompress(file.read_bytes()))
            self._parquet = pq.ParquetFile(content)
        except (OSError, EOFError, pa.ArrowException) as error:
            raise ConfigurationError(f"{file} cannot be read as Parquet: {error}.") from None
        self.columns = tuple(self._parquet.schema_arrow.names)
        self.names = field_names(self.columns)
        self.count: int = self._parquet.metadata.num_rows

    @property
    def schema(self) -> Any:
        """Arrow's schema."""
        return self._parquet.schema_arrow

    @property
    def row_groups(self) -> list[int]:
        """The rows of each group."""
        metadata = self._parquet.metadata
        return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]

    def batches(self, start: int = 0, only: Sequence[int] | None = None) -> Iterator[Any]:
        """Arrow's record batches from a row on (from 0), of the columns ``only``, if given, in their order."""
        passed = 0
        groups: list[int] = []
        for number, rows in enumerate(self.row_groups):
            if passed + rows <= start and not groups:
                passed += rows
            else:
                groups.append(number)
        to_skip = start - passed
        names = None if only is None or self._is_named_oddly else [self.columns[at] for at in only]
        for batch in self._parquet.iter_batches(_BATCH, groups, names) if groups else ():
            skipped = min(to_skip, batch.num_rows)
            to_skip -= skipped
            if skipped < batch.num_rows:
                rest = batch.slice(skipped)
                yield rest if only is None or names is not None else rest.select(list(only))

    def rows(self, start: int = 0, only: Sequence[int] | None = None) -> Iterator[list[Any]]:
        """The values of each row from a place on, None for missing ones; numbers as they would be written."""
        for batch in self.batches(start, only):
            columns = [values_of(batch.column(at)) for at in range(batch.num_columns)]
            yield from map(list, zip(*columns, strict=True))

    def micros(self, place: int) -> Iterator[int | None] | None:
        """A column of timestamps in microseconds since 1970; None for one of another type."""
        import pyarrow as pa

        type = self.schema.field(place).type
        if not pa.types.is_timestamp(type):
            return None
        exact = pa.timestamp("us", type.tz)
        return (
            value
            for batch in self.batches(0, [place])
            for value in batch.column(0).cast(exact, safe=False).cast(pa.int64()).to_pylist()
        )

    def distinct(self, column: str) -> int:
        """How many different values a column has."""
        import pyarrow.compute as pc

        return int(pc.count_distinct(self._parquet.read([column]).column(0)).as_py())

    @property
    def _is_named_oddly(self) -> bool:
        """Whether a name chooses no column, or two: Parquet takes a point for the way into a group."""
        return len(set(self.columns)) < len(self.columns) or any("." in column for column in self.columns)


def values_of(column: Any) -> list[Any]:
    """The values of an Arrow array: texts, :class:`Written` numbers, booleans, objects, lists, and None."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kinds.is_integer(column.type):
        return [None if value is None else Written(value) for value in column.cast(pa.string()).to_pylist()]
    if kinds.is_float32(column.type) or kinds.is_float16(column.type):
        # Its own digits: as a double 0.1 is 0.10000000149011612.
        singles = column.to_numpy(zero_copy_only=False)
        present = column.is_valid().to_pylist()
        return [_number(str(value)) if is_there else None for value, is_there in zip(singles, present, strict=True)]
    if kinds.is_timestamp(column.type):
        # Arrow counts in UTC, whatever the zone; a time without one is taken for UTC.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
        return [None if moment is None else f"{moment.isoformat()}Z" for moment in column.to_pylist()]
    return [value_of(value) for value in column.to_pylist()]


def value_of(value: Any) -> Any:
    """One value of Python as a text would have it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        return _number(repr(value))
    if isinstance(value, int | Decimal):
        return _number(str(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return Written(repr(value.total_seconds()))
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return Object((str(name), value_of(inner)) for name, inner in value.items())
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return Object((str(name), value_of(inner)) for name, inner in value)  # a map
    return [value_of(item) for item in value] if isinstance(value, list) else str(value)


def _number(text: str) -> Written | None:
    return None if text == "nan" or (text == "NaN") else Written(text)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
