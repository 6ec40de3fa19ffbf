"""Bicep's text: values, parameters, a resource."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "str | int | bool | Raw | Mapping[str, Value] | Sequence[Value]"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_NAME_SIGN = re.compile(r"[^A-Za-z0-9]+")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Raw:
    """An expression, written as it is."""

    text: str


@dataclass(slots=True)
class Parameters:
    """The parameters of a module, each name once."""

    secure: dict[str, str] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)

    def secret(self, of: str, what: str, description: str) -> Raw:
        """A secret that whoever deploys has to give: ``what`` of the input or output ``of``."""
        name = identifier(f"{of} {what}")
        self.secure.setdefault(name, description)
        return Raw(name)

    def text(self, of: str, what: str, description: str) -> Raw:
        """A text that whoever deploys has to give."""
        name = identifier(f"{of} {what}")
        self.plain.setdefault(name, description)
        return Raw(name)

    def lines(self) -> list[str]:
        """The parameters as they stand in the module."""
        lines = ["param name string", "param location string = resourceGroup().location"]
        for name, description in self.plain.items():
            lines += [f"@description({value(description)})", f"param {name} string"]
        for name, description in self.secure.items():
            lines += [f"@description({value(description)})", "@secure()", f"param {name} string"]
        return lines


def identifier(words: str) -> str:
    """The words as a name in Bicep: ``my input key`` → ``myInputKey``."""
    parts = [part for part in _NO_NAME_SIGN.split(words) if part] or ["value"]
    name = parts[0][:1].lower() + parts[0][1:] + "".join(part[:1].upper() + part[1:] for part in parts[1:])
    return name if name[0].isalpha() else f"_{name}"


def value(of: Value, indent: int = 0) -> str:
    """A value as Bicep writes it, whose further lines are indented by so many blanks."""
    match of:
        case Raw():
            return of.text
        case bool():
            return "true" if of else "false"
        case int():
            return str(of)
        case str():
            escaped = "".join(_ESCAPES.get(sign, sign) for sign in of).replace("${", "\\${")
            return f"'{escaped}'"
        case Mapping():
            parts = [f"{_key(name)}: {value(part, indent + 2)}" for name, part in of.items()]
            return _block("{", parts, "}", indent)
        case _:
            return _block("[", [value(part, indent + 2) for part in of], "]", indent)


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else value(name)


def _block(opening: str, parts: Sequence[str], closing: str, indent: int) -> str:
    if not parts:
        return opening + closing
    margin = " " * indent
    return "\n".join([opening, *(f"{margin}  {part}" for part in parts), f"{margin}{closing}"])
