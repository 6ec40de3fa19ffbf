"""Names, texts and numbers as a query has them, and lines of a readable length."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

WIDTH = 116
# A blank at which no line ends; no name of a field has this character.
KEPT_BLANK = "\0"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
# Names that Stream Analytics' own grammar or T-SQL's uses: in brackets each is a name, wherever it stands.
_GRAMMAR = (
    "all and any apply array as asc between bigint bit by case cast create cross datetime declare desc distinct else "
    "end except exists false first float for from full function group having in index inner into is join key last "
    "left like limit match_recognize measures not null nvarchar of on or order outer over partition pattern record "
    "right select set system table then top true try_cast uda udf union user using values when where with"
)
_WORDS = frozenset(_GRAMMAR.split())
_QUOTED = re.compile(r"('(?:[^']|'')*'|\[(?:[^\]]|\]\])*\])")
_LARGEST = 2**63


def name(written: str) -> str:
    """A name as the language takes it: in brackets where it is a word of its own, or has other characters."""
    if _PLAIN(written) and written.lower() not in _WORDS:
        return written
    return f"[{written.replace(']', ']]')}]"


def path(*names: str) -> str:
    """A column, or a field inside of one, of a source: ``t``, ``address`` and ``zip`` give ``t.address.zip``."""
    return ".".join((names[0], *map(name, names[1:])))


def text(written: str) -> str:
    """A text's literal."""
    return "'" + written.replace("'", "''") + "'"


def number(written: int | float) -> str:
    """A number's literal without an exponent, which the language's reference does not mention."""
    if isinstance(written, int) and abs(written) < _LARGEST:
        return str(written)
    digits = format(Decimal(repr(float(written))), "f")
    return digits if "." in digits else f"{digits}.0"


def is_number_text(written: str) -> bool:
    """Whether a text could be taken for a number, such as ``12``, ``1e3`` or ``nan``."""
    try:
        float(written)
    except ValueError:
        return False
    return True


def is_finite(bound: int | float) -> bool:
    """Whether a bound bounds anything."""
    return isinstance(bound, int) or math.isfinite(bound)


def unused(wished: str, taken: Collection[str]) -> str:
    """The name, or one with a number behind it, that is not taken in any case of its letters."""
    known = {other.casefold() for other in taken}
    candidate, count = wished, 1
    while candidate.casefold() in known:
        count += 1
        candidate = f"{wished}_{count}"
    return candidate


def wrapped(code: str, indent: int, further: int) -> str:
    """Code in lines that break at blanks outside of texts and names; lines after the first one are indented more."""
    lines: list[str] = []
    line = " " * indent
    for word in _words(code):
        if len(line) + len(word) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * (indent + further)
        line += f"{word} "
    return "\n".join([*lines, line.rstrip()]).replace(KEPT_BLANK, " ")


def columns(items: Iterable[str], indent: int = 4) -> str:
    """The columns of a SELECT, as many in a line as fit."""
    listed = list(items)
    with_commas = [f"{item}," for item in listed[:-1]] + listed[-1:]
    lines: list[str] = []
    line = " " * indent
    for item in with_commas:
        if len(line) + len(item) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += f"{item} "
    return "\n".join([*lines, line.rstrip()])


def _words(code: str) -> Iterator[str]:
    """What stands between blanks; a text or a bracketed name is never split."""
    word = ""
    for part in _QUOTED.split(code):
        if _QUOTED.fullmatch(part):
            word += part
            continue
        first, *others = part.split(" ")
        word += first
        for other in others:
            yield word
            word = other
    yield word
