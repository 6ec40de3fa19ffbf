"""Findings of the linter, and the rules that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Finding(NamedTuple):
    """A place of the text that compiles but may surprise; ``rule`` is a key of :data:`RULES`."""

    line: int
    column: int
    rule: str
    message: str


# A rule's name, and what it is about.
_TEXT = """
QL001 Windows, joins and OVER count by arrival time where the input has no TIMESTAMP BY, so a run over old data puts
all rows into one moment.
QL002 A text is never equal to a number, less or greater: such a condition is never true.
QL003 A word in double quotes is a column if one is known by that name, else a text. Single quotes are always a
text, brackets always a column.
QL004 Rows of different partitions are handled apart: without the partition's key in GROUP BY there is one row for
each partition, and without it in ON partitioned streams do not meet.
QL005 An error in an expression stops the job in Azure, at the first record that causes it.
QL006 CASE without ELSE gives NULL where no condition is true; the reference requires ELSE.
QL007 The star takes the columns of all joined sources. Of two with one name the left one wins, and the right one is
lost.
QL008 Functions with OVER see the rows of FROM before WHERE, so rows that WHERE drops still count.
QL009 Without PARTITION BY a function with OVER looks at the rows of all keys together.
QL010 The reference says that aliases cannot be used in GROUP BY and HAVING. Here a name means a column first, and
the alias only if no column of that name is seen.
QL011 A step that no output reads is checked but never run.
QL012 An output that several SELECTs write gets the rows of all of them.
QL013 With a late tolerance of 0, each event that arrives later than its time is moved to its arrival, or dropped:
long windows then lose what they wait for.
QL014 A comparison with NULL is never true. IS NULL and IS NOT NULL test for it.
QL015 A hop longer than the window leaves gaps, whose rows are in no window.
QL016 UNION takes columns by their place and names them as the first SELECT does.
QL017 With TIMESTAMP BY … OVER a key, all inputs need such a key, and the key must be in GROUP BY.
QL018 A column that CREATE TABLE does not declare is NULL unless events have it anyway.
QL019 Of two columns with one name in a SELECT, the left one wins; the other is left out.
QL020 One input read by two definitions of time gives two streams that do not agree in order.
QL021 SELECT and WHERE cannot use aliases of the same SELECT: such a name means a column of the source.
QL022 A bigint divided by a bigint is cut to a whole number.
QL023 A column without a name is called expr1, expr2 … by its place.
QL024 A condition in WHERE on the right side of a LEFT JOIN drops the rows without a match.
QL025 A session without a maximum duration can grow without end; the reference requires one.
QL026 This form is not in the reference, though it has been seen to work.
QL027 An operation on a column of unknown type stops the job at the first value of a wrong type. CREATE TABLE
declares types, so that such events are dropped; TRY_CAST gives NULL for such values.
QL028 A job whose query calls a function that it does not have is not started.
"""


def _rules() -> Iterator[tuple[str, str]]:
    for paragraph in _TEXT.replace("\nQL", "\n\nQL").split("\n\n"):
        rule, _, text = " ".join(paragraph.split()).partition(" ")
        if rule:
            yield rule, text


RULES = dict(_rules())
