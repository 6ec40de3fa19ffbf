"""What a name means in a SELECT: a source, a column of one, or a field below it; names ignore case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fraudstream.asaql.plan.faults import listed, nearest, refusal
from fraudstream.asaql.plan.nodes import Column, Expr, Field, Pos, Row, TypeText


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns that rows are known to have; ``is_open`` if they may have others too."""

    columns: tuple[Column, ...] = ()
    is_open: bool = True

    def column(self, name: str) -> Column | None:
        """The column of a name in any case."""
        folded = name.lower()
        return next((column for column in self.columns if column.name.lower() == folded), None)

    def with_columns(self, more: Iterable[Column]) -> Shape:
        """The shape with more columns; of two with one name, the first counts."""
        columns = {column.name.lower(): column for column in reversed([*self.columns, *more])}
        return replace(self, columns=tuple(reversed(columns.values())))


OPEN = Shape()
_HUB_FIELDS = (
    "messageid",
    "correlationid",
    "connectiondeviceid",
    "connectiondevicegenerationid",
    "enqueuedtime",
    "streamid",
)


@dataclass(frozen=True, slots=True)
class ScopeSource:
    """A source of FROM: ``name`` is its alias, or else the name of what it reads, which ``reads`` is in any case.

    ``input`` is the input whose rows it gives unchanged, if it does: only these have metadata. ``has_alias``: the query
    gives it a name of its own, which is then no column's by chance.
    """

    index: int
    name: str
    reads: str | None
    shape: Shape
    kind: str
    input: str | None = None
    has_alias: bool = True

    def is_called(self, name: str) -> bool:
        """Whether a name is the source's."""
        return self.name.lower() == name.lower()


@dataclass(frozen=True, slots=True)
class Scope:
    """The sources whose columns an expression sees."""

    sources: tuple[ScopeSource, ...]

    def source(self, name: str) -> ScopeSource | None:
        """The source of a name: by its alias, else by the name of what it reads, if just one source reads that."""
        for source in self.sources:
            if source.is_called(name):
                return source
        reading = [source for source in self.sources if source.reads and source.reads.lower() == name.lower()]
        return reading[0] if len(reading) == 1 else None

    def knows(self, name: str) -> bool:
        """Whether a source is known to have a column of this name."""
        return any(source.shape.column(name) for source in self.sources)

    @property
    def is_open(self) -> bool:
        """Whether a row may have columns that nobody declared."""
        return any(source.shape.is_open for source in self.sources)

    def field(self, path: tuple[str, ...], position: Pos) -> Field:
        """A column of whatever source has it, and the fields below.

        Sources that are known to have it come alone; otherwise any that may have it, from left to right. Raises
        :class:`~fraudstream.asaql.errors.QueryError` if none can.
        """
        known = [source for source in self.sources if source.shape.column(path[0])]
        possible = known[:1] or [source for source in self.sources if source.shape.is_open]
        if not possible:
            raise self.unknown(path[0], self.sources, position)
        static = _static(possible, path)
        return Field(tuple(source.index for source in possible), path=path, static=static, pos=position)

    def field_of(self, source: ScopeSource, path: tuple[str, ...], position: Pos) -> Field:
        """A column of one source, and the fields below it."""
        if not source.shape.is_open and source.shape.column(path[0]) is None:
            raise self.unknown(path[0], (source,), position)
        return Field((source.index,), path=path, static=_static([source], path), pos=position)

    def path(self, parts: tuple[str, ...], position: Pos) -> Expr:
        """What a path means: the fields of the source that its first part names, else a column and its fields."""
        source = self.source(parts[0]) if len(parts) > 1 else None
        if source is not None and not self._is_rather_column(source, parts):
            return self.field_of(source, parts[1:], position)
        return self.field(parts, position)

    def row(self, name: str, by_alias: bool = False) -> Row | None:
        """The whole row of the source that a name means, unless it is known as a column.

        With ``by_alias`` only an alias counts: an input may be called as one of its columns.
        """
        source = self.source(name)
        if source is None or self.knows(name) or (by_alias and not source.has_alias):
            return None
        return Row(source.index)

    def _is_rather_column(self, source: ScopeSource, parts: tuple[str, ...]) -> bool:
        """Whether the source cannot have such a column, and some source has a record of the source's name."""
        if not source.has_alias and parts[0].lower() == "iothub" and parts[1].lower() in _HUB_FIELDS:
            # An input is often called as the record that an IoT hub adds to its events.
            return source.shape.is_open
        cannot = not source.shape.is_open and source.shape.column(parts[1]) is None
        return cannot and self.knows(parts[0])

    @staticmethod
    def unknown(name: str, sources: Iterable[ScopeSource], position: Pos) -> Exception:
        """The error of a column that none of the sources has."""
        columns = [column.name for source in sources for column in source.shape.columns]
        where = " and ".join(source.name for source in sources) or "FROM"
        near = nearest(name, columns) or (f" Its columns are {listed(columns)}." if columns else "")
        return refusal(f"{where} has no column {name}.{near}", position)


def _static(sources: list[ScopeSource], path: tuple[str, ...]) -> TypeText | None:
    column = sources[0].shape.column(path[0]) if len(sources) == 1 and len(path) == 1 else None
    return column.type if column else None
