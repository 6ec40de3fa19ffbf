"""JSON objects edited as text: what an edit does not name keeps its bytes.

A parser that reads an event and writes it again rounds long numbers, turns 1.10 into 1.1, moves fields and drops a
name's second value. Somebody who corrects one field of a payment has asked for none of that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

Path = tuple[str, ...]

_SPACE = " \t\n\r"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


# Numbers stay text: Python refuses integers of more than 4,300 digits, and nobody asks for their value here. So do NaN
# and the infinities of an edited text, which JSON does not have: the edit may be there to take them away.
_READER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_STRICT_READER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


class Member(NamedTuple):
    """One member of an object or item of a list: its name or index, and where its text and its value stand."""

    name: str
    start: int
    value_start: int
    value_end: int
    end: int


def edited(text: str, changes: Mapping[Path, str], removed: Sequence[Path] = ()) -> str:
    """The object with values replaced (``changes``: path → JSON text) or added, and members removed.

    A path is a field's name and those inside it; an item of a list goes by its index. A name that stands more than
    once is replaced once and then stands once; one that is not there need not be removed. Raises ``ValueError`` where
    the text is no JSON object, or where the path of a change leads through what is not there or has no members.
    """
    check_object(text)
    for path, value in changes.items():
        text = _at(text, path, partial(_with, value=value), must_be_there=True)
    for path in removed:
        text = _at(text, path, _without, must_be_there=False)
    return text


def check_object(text: str) -> None:
    """Raises ``ValueError`` where the text is no JSON object, but for NaN and infinities in it."""
    if not isinstance(_parsed(text), dict):
        raise ValueError("it is no JSON object")


def parse_path(text: str) -> Path:
    """A field's name as it is; ``/outer/inner`` (JSON Pointer, RFC 6901) for a field inside a field.

    Raises ``ValueError`` for an empty path.
    """
    if not text:
        raise ValueError("a field's name is empty")
    if not text.startswith("/"):
        return (text,)
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def json_value(text: str) -> str:
    """JSON text for a value as somebody types it: the text itself where it is JSON, else as a JSON string."""
    try:
        _parsed(text, _STRICT_READER)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)
    return text.strip(_SPACE)


def indented(text: str) -> str:
    """The same values, one a line. Raises ``ValueError`` where the text is no JSON, but for NaN and infinities."""
    _parsed(text)
    lines: list[str] = []
    line, depth, before = "", 0, ""
    for part in _TOKEN.findall(text):
        if part in "]}":
            depth -= 1
            if before not in "[{":
                lines.append(line)
                line = "  " * depth
        elif before and before in "[{,":
            lines.append(line)
            line = "  " * depth
        line += f"{part} " if part == ":" else part
        depth += part in "[{"
        before = part
    return "\n".join([*lines, line])


def compact(text: str) -> str:
    """The same values without white space between them. Raises as :func:`indented` does."""
    _parsed(text)
    return "".join(_TOKEN.findall(text))


def members(text: str) -> list[Member]:
    """The members of an object, or the items of a list by their index, in their order, repeated names included."""
    start = _skip(text, 0)
    if text[start] == "{":
        return list(_members(text, start + 1, "}", named=True))
    if text[start] == "[":
        return list(_members(text, start + 1, "]", named=False))
    raise ValueError("it has no members")


def _members(text: str, start: int, closing: str, *, named: bool) -> Iterator[Member]:
    if text[_skip(text, start)] == closing:
        return
    number = 0
    while True:
        at = _skip(text, start)
        name = str(number)
        if named:
            name, at = _read(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, value_end = _read(text, at)
        end = _skip(text, value_end)
        yield Member(name, start, at, value_end, end)
        if text[end] == closing:
            return
        start, number = end + 1, number + 1


def _at(text: str, path: Path, edit: Callable[[str, str], str], *, must_be_there: bool) -> str:
    """``edit`` is given the text of the object or list that the path's last name belongs to, and that name."""
    name, inner = path[0], path[1:]
    if not inner:
        return edit(text, name)
    chosen = [member for member in members(text) if member.name == name]
    if not chosen and must_be_there:
        raise ValueError(f"there is no field {name!r}")
    for member in reversed(chosen):
        value = _at(text[member.value_start : member.value_end], inner, edit, must_be_there=must_be_there)
        text = text[: member.value_start] + value + text[member.value_end :]
    return text


def _with(text: str, name: str, value: str) -> str:
    present = members(text)
    chosen = [member for member in present if member.name == name]
    if chosen:
        first = chosen[0]
        text = _cut(text, present, chosen[1:])
        return text[: first.value_start] + value + text[first.value_end :]
    if text[_skip(text, 0)] == "[":
        raise ValueError(f"the list has no item {name!r}")
    behind = present[-1].value_end if present else _skip(text, 0) + 1
    added = ("," if present else "") + json.dumps(name, ensure_ascii=False) + ":" + value
    return text[:behind] + added + text[behind:]


def _without(text: str, name: str) -> str:
    present = members(text)
    return _cut(text, present, [member for member in present if member.name == name])


def _cut(text: str, present: list[Member], chosen: list[Member]) -> str:
    if not chosen:
        return text
    kept = [text[member.start : member.end] for member in present if member not in chosen]
    return text[: present[0].start] + ",".join(kept) + text[present[-1].end :]


def _parsed(text: str, reader: json.JSONDecoder = _READER) -> Any:
    try:
        start = _skip(text, 0)
        value, end = _read(text, start, reader)
    except IndexError:
        raise ValueError("it is empty") from None
    if _skip(text, end) != len(text):
        raise ValueError(f"something follows its end at character {end}")
    return value


def _read(text: str, at: int, reader: json.JSONDecoder = _READER) -> tuple[Any, int]:
    """The value that begins at ``at``, and where it ends."""
    try:
        return reader.raw_decode(text, at)
    except RecursionError:
        # How deep is too deep depends on who asks: a text may be read as a whole and not from inside an edit.
        raise ValueError("it is nested too deeply") from None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
