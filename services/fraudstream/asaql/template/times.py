"""How an event's time is read in the query: the expression of the moment, and what tells that there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fraudstream.asaql.template.writing import number, text
from fraudstream.core.contract.times import EPOCH, ISO, UNITS, TimeForm
from fraudstream.core.errors import ConfigurationError

_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "b": 3, "p": 2}
# Directives whose texts are of several lengths.
_OPEN = frozenset("fz")
_LONGEST_TAIL = 40
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CLOCK = re.compile(r"%H:%M:%S")
_DATE = re.compile(r"%Y-%m-%d")
_DIRECTIVE = re.compile(r"%(.)|([^%]+)", re.DOTALL)
# POSIX's rule for years of two digits, as in core.contract.times.
_FIRST_OF_1900 = 69
_YEARS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class MomentText:
    """The moment of a time in a query.

    ``moment``: its expression, a datetime. ``faults``: conditions of which one is true where there is no such moment,
    in the order in which they can be looked at; the first ones keep the later ones from failing.
    """

    moment: str
    faults: tuple[str, ...]


def moment_text(form: TimeForm, column: str) -> MomentText:
    """How a column that is written in a form is read. Raises :class:`ConfigurationError` for a form that is not."""
    if form.form == ISO:
        moment = f"TRY_CAST({column} AS datetime)"
        return MomentText(moment, (f"{moment} IS NULL",))
    if form.form == EPOCH:
        return _epoch(form, column)
    return _Reading(form.form, column).read()


def _epoch(form: TimeForm, column: str) -> MomentText:
    micros = UNITS[form.unit]
    origin = form.origin.astimezone(UTC)
    first, last = ((edge - origin) // timedelta(microseconds=1) for edge in _YEARS)
    scaled = f"TRY_CAST({column} AS float)" + (f" * {micros}" if micros != 1 else "")
    written = origin.isoformat().replace("+00:00", "Z")
    moment = f"DATEADD(microsecond, TRY_CAST(FLOOR({scaled}) AS bigint), {text(written)})"
    least, most = -(-first // micros), last // micros + 1
    return MomentText(moment, (f"{column} < {number(least)} OR {column} >= {number(most)}",))


@dataclass(frozen=True, slots=True)
class _Part:
    """A directive's letter or a literal text, and where it begins, from 1, if no part before has several lengths."""

    directive: str
    literal: str
    at: int


class _Reading:
    """Takes a text of a form of strptime apart by the places of its parts."""

    def __init__(self, form: str, column: str) -> None:
        self._form, self._column = form, column
        self._fixed: dict[str, _Part] = {}
        self._shape = ""
        self._tail: list[_Part] = []
        self._take_apart()

    def read(self) -> MomentText:
        moment = self._moment()
        faults = [f"{self._column} NOT LIKE {text(self._shape)}", *self._faults_of_clocks(), f"{moment} IS NULL"]
        return MomentText(moment, tuple(faults))

    def _take_apart(self) -> None:
        at = 1
        for match in _DIRECTIVE.finditer(self._form):
            directive, literal = match[1] or "", match[2] or ""
            if directive == "%":
                directive, literal = "", "%"
            part = _Part(directive, literal, at)
            self._shape += _as_shape(literal) if literal else "_" * _WIDTHS[directive] if directive in _WIDTHS else "%"
            if directive in _OPEN or self._tail:
                self._tail.append(part)
                continue
            at += len(literal) or _WIDTHS[directive]
            if directive:
                self._fixed[directive] = part

    def _piece(self, directive: str) -> str:
        part = self._fixed[directive]
        return f"SUBSTRING({self._column}, {part.at}, {_WIDTHS[directive]})"

    def _run(self, pattern: re.Pattern[str], first: str, width: int) -> str | None:
        """The piece that is written as ISO 8601 has it already; None where the form has none."""
        match = pattern.search(self._form)
        if match is None or first not in self._fixed:
            return None
        return f"SUBSTRING({self._column}, {self._fixed[first].at}, {width})"

    def _moment(self) -> str:
        rest = self._rest()
        date = self._run(_DATE, "Y", 10) or f"{self._year()}, '-', {self._month()}, '-', {self._piece('d')}"
        parts = [date, "'T'", self._clock(), *rest]
        moment = f"TRY_CAST(CONCAT({', '.join(parts)}) AS datetime)"
        if "I" in self._fixed:
            half = f"CASE UPPER({self._piece('p')}) WHEN 'PM' THEN 12 ELSE 0 END"
            moment = f"DATEADD(hour, {half}, {moment})"
        return moment

    def _year(self) -> str:
        if "Y" in self._fixed:
            return self._piece("Y")
        year = self._piece("y")
        return f"CASE WHEN {year} >= '{_FIRST_OF_1900}' THEN '19' ELSE '20' END, {year}"

    def _month(self) -> str:
        if "m" in self._fixed:
            return self._piece("m")
        cases = " ".join(f"WHEN '{month}' THEN '{number:02}'" for number, month in enumerate(_MONTHS, start=1))
        return f"CASE UPPER({self._piece('b')}) {cases} ELSE '' END"

    def _clock(self) -> str:
        if (whole := self._run(_CLOCK, "H", 8)) is not None:
            return whole
        if "I" in self._fixed:
            hour = f"REPLACE({self._piece('I')}, '12', '00')"
        else:
            hour = self._piece("H") if "H" in self._fixed else "'00'"
        minute, second = (self._piece(part) if part in self._fixed else "'00'" for part in "MS")
        return f"{hour}, ':', {minute}, ':', {second}"

    def _rest(self) -> Sequence[str]:
        """A fraction and an offset, which are the last parts of a form that has them."""
        if not self._tail:
            return ("'Z'",)
        directives = "".join(part.directive for part in self._tail)
        if directives not in ("f", "z", "fz"):
            raise self._unknown()
        rest = f"SUBSTRING({self._column}, {self._tail[0].at}, {_LONGEST_TAIL})"
        for part in self._tail:
            if part.literal.strip():
                if re.search(r"[0-9Zz+:-]", part.literal) and directives != "f":
                    raise self._unknown()
                rest = f"REPLACE({rest}, {text(part.literal)}, '')"
        opening = ("'.'",) if directives.startswith("f") else ()
        return (*opening, rest, *(() if directives.endswith("z") else ("'Z'",)))

    def _unknown(self) -> ConfigurationError:
        return ConfigurationError(
            f"event.time_format is {self._form!r}, and the query cannot read it: a fraction (%f) and an offset (%z) "
            "have to be the last parts of the form. Write stream-analytics/fraud.asaql by hand."
        )

    def _faults_of_clocks(self) -> Iterator[str]:
        if "I" in self._fixed:
            yield f"{self._piece('I')} NOT BETWEEN '01' AND '12' OR UPPER({self._piece('p')}) NOT IN ('AM', 'PM')"


def _as_shape(literal: str) -> str:
    """A literal as a pattern of LIKE."""
    return re.sub(r"[%_\[]", lambda match: f"[{match[0]}]", literal)
