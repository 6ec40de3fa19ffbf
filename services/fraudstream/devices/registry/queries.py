"""The hub's query language over twins, as far as registries are asked: SELECT … FROM devices WHERE ….

Source: "IoT Hub query language for device and module twins, jobs, and message routing" of the service's documentation.
Aggregates other than COUNT() and GROUP BY are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fraudstream.devices.errors import HubRefused, invalid

_LONGEST = 8_192
_DEEPEST = 50
_WORD = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>\[\[[^\]]+\]\]|[A-Za-z_$][\w$\-]*)|(?P<sign><=|>=|!=|<>|[=<>(),.*\[\]]))"
)
_MISSING = object()
_Test = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read: ``run`` gives its rows."""

    columns: tuple[tuple[str, _Test], ...] | None
    counts: str | None
    condition: _Test
    most: int | None

    def run(self, twins: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, in the order of the twins."""
        kept = [twin for twin in twins if self.condition(twin) is True]
        if self.counts is not None:
            return [{self.counts: len(kept)}]
        kept = kept if self.most is None else kept[: self.most]
        if self.columns is None:
            return kept
        return [{name: value for name, path in self.columns if (value := path(twin)) is not _MISSING} for twin in kept]


def parse(text: str) -> Query:
    """Read a query. Raises :class:`HubRefused` for what the language, or this part of it, does not have."""
    if len(text) > _LONGEST:
        raise _problem(f"it is longer than {_LONGEST} characters")
    return _Reader(list(_words(text))).query()


def _problem(text: str) -> HubRefused:
    return invalid(f"The query cannot be read: {text}.")


def _words(text: str) -> Iterable[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _WORD.match(text, place)
        if match is None or match.lastgroup is None:
            raise _problem(f"character {place + 1} begins no word")
        yield match.lastgroup, match[match.lastgroup]
        place = match.end()


class _Reader:
    """Recursive descent over the words."""

    def __init__(self, words: Sequence[tuple[str, str]]) -> None:
        self._words = words
        self._place = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        most = None
        if self._takes("TOP"):
            most = int(self._number())
        columns, counts = self._columns()
        self._expect("FROM")
        source = self._path_names()
        if [name.lower() for name in source] != ["devices"]:
            raise _problem(f"it asks {'.'.join(source)!r}; here are `devices` alone")
        condition: _Test = self._either() if self._takes("WHERE") else lambda _twin: True
        if self._place < len(self._words):
            raise _problem(f"{self._words[self._place][1]!r} is not expected there")
        return Query(columns, counts, condition, most)

    def _columns(self) -> tuple[tuple[tuple[str, _Test], ...] | None, str | None]:
        if self._takes("*"):
            return None, None
        if self._takes("COUNT"):
            self._expect("(")
            self._takes("*")
            self._expect(")")
            return None, self._alias("$1")
        columns = [self._column()]
        while self._takes(","):
            columns.append(self._column())
        return tuple(columns), None

    def _column(self) -> tuple[str, _Test]:
        names = self._path_names()
        return self._alias(names[-1]), _path(names)

    def _alias(self, default: str) -> str:
        return self._name() if self._takes("AS") else default

    def _either(self) -> _Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _problem(f"it is nested deeper than {_DEEPEST}")
        tests = [self._both()]
        while self._takes("OR"):
            tests.append(self._both())
        self._depth -= 1
        return lambda twin: any(test(twin) is True for test in tests)

    def _both(self) -> _Test:
        tests = [self._not()]
        while self._takes("AND"):
            tests.append(self._not())
        return lambda twin: all(test(twin) is True for test in tests)

    def _not(self) -> _Test:
        if self._takes("NOT"):
            test = self._not()
            return lambda twin: test(twin) is False
        return self._comparison()

    def _comparison(self) -> _Test:
        if self._takes("("):
            test = self._either()
            self._expect(")")
            return test
        left = self._value()
        if self._takes("IN") or self._takes("NIN"):
            negated = self._words[self._place - 1][1].upper() == "NIN"
            choices = self._list()
            return lambda twin: (left(twin) in [choice(twin) for choice in choices]) is not negated
        sign = self._sign()
        if sign is None:
            return left
        right = self._value()
        return lambda twin: _compare(sign, left(twin), right(twin))

    def _list(self) -> list[_Test]:
        self._expect("[")
        choices = [self._value()]
        while self._takes(","):
            choices.append(self._value())
        self._expect("]")
        return choices

    def _value(self) -> _Test:
        kind, word = self._next()
        if kind == "text":
            text = word[1:-1].replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")
            return lambda _twin: text
        if kind == "number":
            number = float(word)
            return lambda _twin: number
        if kind != "name":
            raise _problem(f"{word!r} is no value")
        if word.lower() in ("true", "false", "null"):
            constant = {"true": True, "false": False, "null": None}[word.lower()]
            return lambda _twin: constant
        if self._takes("("):
            return self._call(word)
        self._place -= 1
        return _path(self._path_names())

    def _call(self, name: str) -> _Test:
        arguments = [self._value()]
        while self._takes(","):
            arguments.append(self._value())
        self._expect(")")
        function = _FUNCTIONS.get(name.upper())
        if function is None or len(arguments) != function[0]:
            raise _problem(f"there is no function {name} of {len(arguments)} arguments")
        return lambda twin: function[1](*(argument(twin) for argument in arguments))

    def _path_names(self) -> list[str]:
        names = [self._name()]
        while self._takes("."):
            names.append(self._name())
        return names

    def _name(self) -> str:
        kind, word = self._next()
        if kind != "name":
            raise _problem(f"{word!r} is no name")
        return word.strip("[]")

    def _number(self) -> float:
        kind, word = self._next()
        if kind != "number" or float(word) < 0:
            raise _problem(f"{word!r} is no number of rows")
        return float(word)

    def _sign(self) -> str | None:
        if self._place < len(self._words) and self._words[self._place][1] in ("=", "!=", "<>", "<", ">", "<=", ">="):
            self._place += 1
            return self._words[self._place - 1][1]
        return None

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._words):
            raise _problem("it ends too early")
        self._place += 1
        return self._words[self._place - 1]

    def _takes(self, word: str) -> bool:
        if self._place >= len(self._words):
            return False
        kind, text = self._words[self._place]
        if kind == "text" or text.upper() != word:
            return False
        self._place += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise _problem(f"{word} is missing")


def _path(names: Sequence[str]) -> _Test:
    own = list(names[1:] if names[0] in ("devices", "c") and len(names) > 1 else names)

    def read(twin: dict[str, Any]) -> Any:
        value: Any = twin
        for name in own:
            if not isinstance(value, dict) or name not in value:
                return _MISSING
            value = value[name]
        return value

    return read


def _compare(sign: str, left: Any, right: Any) -> bool | None:
    if left is _MISSING or right is _MISSING:
        return None
    if sign == "=":
        return _same(left, right)
    if sign in ("!=", "<>"):
        return not _same(left, right)
    if not _ordered(left, right):
        return None
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[sign])


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _ordered(left: Any, right: Any) -> bool:
    kinds = [str if isinstance(value, str) else float for value in (left, right)]
    plain = all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in (left, right))
    return plain and kinds[0] is kinds[1]


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "ARRAY_CONTAINS": (2, lambda values, value: isinstance(values, list) and value in values),
    "IS_DEFINED": (1, lambda value: value is not _MISSING),
    "IS_NULL": (1, lambda value: value is None),
    "IS_BOOL": (1, lambda value: isinstance(value, bool)),
    "IS_NUMBER": (1, lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "IS_STRING": (1, lambda value: isinstance(value, str)),
    "IS_OBJECT": (1, lambda value: isinstance(value, dict)),
    "STARTSWITH": (2, lambda value, start: isinstance(value, str) and value.startswith(str(start))),
    "STARTS_WITH": (2, lambda value, start: isinstance(value, str) and value.startswith(str(start))),
    "ENDSWITH": (2, lambda value, end: isinstance(value, str) and value.endswith(str(end))),
    "ENDS_WITH": (2, lambda value, end: isinstance(value, str) and value.endswith(str(end))),
    "CONTAINS": (2, lambda value, part: isinstance(value, str) and str(part) in value),
}
