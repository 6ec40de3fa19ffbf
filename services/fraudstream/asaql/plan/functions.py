"""The functions of the language: what each takes, what it gives, where it may stand, and its page in the reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

from fraudstream.asaql.plan.nodes import TypeText

Kind = Literal["any", "text", "number", "record", "array", "part", "input", "row", "event", "moment"]
Place = Literal["scalar", "aggregate", "analytic", "apply"]

# The reference is at https://learn.microsoft.com/stream-analytics-query/<page>.
_PAGES = {
    "try_cast": "try-cast-azure-stream-analytics",
    "createpoint": "createpoint",
    "createlinestring": "createlinestring",
    "createpolygon": "createpolygon",
    "st_distance": "st-distance",
    "st_intersects": "st-intersects",
    "st_overlaps": "st-overlaps",
    "st_within": "st-within",
    "getmetadatapropertyvalue": "getmetadatapropertyvalue",
}


# Names that the reference does not write in capitals.
_SPELLINGS = {
    name.lower(): name
    for name in (
        "AnomalyDetection_ChangePoint",
        "AnomalyDetection_SpikeAndDip",
        "Collect",
        "CollectTop",
        "CreateLineString",
        "CreatePoint",
        "CreatePolygon",
        "GetArrayElement",
        "GetArrayElements",
        "GetArrayLength",
        "GetMetadataPropertyValue",
        "GetRecordProperties",
        "GetRecordPropertyValue",
        "GetType",
        "Percentile_Cont",
        "Percentile_Disc",
        "TopOne",
    )
}


def spelled(name: str) -> str:
    """A function's lower-case name as the reference writes it."""
    return _SPELLINGS.get(name, name.upper())


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a function.

    `row` takes the name of a source too, `event` the alias of one, `input` nothing but the name of an input; `moment`
    is a datetime or an ISO 8601 text.
    """

    name: str
    kind: Kind
    is_optional: bool = False
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language; ``result`` is a type, `any`, or `same`: that of the first argument."""

    name: str
    parameters: tuple[Parameter, ...]
    result: TypeText | Literal["any", "same"]
    place: Place
    with_limit: bool = False

    @property
    def fewest(self) -> int:
        """The smallest number of arguments."""
        return sum(not parameter.is_optional for parameter in self.parameters)

    @property
    def most(self) -> int | None:
        """The largest number of arguments; None: any number."""
        return None if any(parameter.is_repeated for parameter in self.parameters) else len(self.parameters)

    @property
    def spelling(self) -> str:
        """The name as the reference writes it."""
        return spelled(self.name)

    @property
    def page(self) -> str:
        """The last part of the address of its reference page."""
        return _PAGES.get(self.name, f"{self.name.replace('_', '-')}-azure-stream-analytics")

    @property
    def signature(self) -> str:
        """How it is called, as an error shows it: ``SUBSTRING(text, start, length)``."""
        names = [f"[{p.name}]" if p.is_optional else p.name for p in self.parameters]
        dots = ["…"] if self.most is None else []
        return f"{self.spelling}({', '.join(names + dots)})"

    def parameter(self, place: int) -> Parameter:
        """The parameter that the argument at a place belongs to; the last is repeated."""
        return self.parameters[min(place, len(self.parameters) - 1)]


# name(parameter kind, …) result; "?" after a kind: may be left out; "*": may be repeated, or be left out.
_SCALARS = """
gettype(value event) nvarchar
json_parse(text text) record
coalesce(value any, other any, others any*) any
nullif(value any, other any) same
dateadd(part part, number number, date moment) datetime
datediff(part part, start moment, end moment) bigint
datepart(part part, date moment) bigint
datename(part part, date moment) nvarchar
day(date moment) bigint
month(date moment) bigint
year(date moment) bigint
datetimefromparts(year number, month number, day number, hour number, minute number, second number, \
millisecond number) datetime
abs(number number) same
ceiling(number number) same
floor(number number) same
sign(number number) same
power(number number, exponent number) same
round(number number, digits number) same
exp(number number) float
sqrt(number number) float
square(number number) float
charindex(find text, text text, start number?) bigint
concat(first any, second any, others any*) nvarchar
concat_ws(separator text, first any, others any*) nvarchar
left(text text, length number) nvarchar
right(text text, length number) nvarchar
substring(text text, start number, length number) nvarchar
stuff(text text, start number, length number, new text) nvarchar
len(text text) bigint
lower(text text) nvarchar
upper(text text) nvarchar
reverse(text text) nvarchar
ltrim(text text) nvarchar
rtrim(text text) nvarchar
trim(text text) nvarchar
replace(text text, find text, new text) nvarchar
replicate(text text, times number) nvarchar
space(times number) nvarchar
translate(text text, from text, to text) nvarchar
nchar(code number) nvarchar
unicode(text text) bigint
patindex(pattern text, text text) bigint
regexmatch(text text, pattern text) bigint
getarrayelement(array array, index number) any
getarraylength(array array) bigint
getrecordpropertyvalue(record row, name text) any
getmetadatapropertyvalue(input input, name text) any
createpoint(latitude number, longitude number) record
createlinestring(point any, point any, points any*) record
createpolygon(point any, point any, point any, points any*) record
st_distance(a any, b any) float
st_within(a any, b any) bigint
st_overlaps(a any, b any) bigint
st_intersects(a any, b any) bigint
"""
_AGGREGATES = """
count(value row?) bigint
sum(number number) same
avg(number number) float
min(value any) same
max(value any) same
stdev(number number) float
stdevp(number number) float
var(number number) float
varp(number number) float
percentile_cont(fraction number) float
percentile_disc(fraction number) any
collect(value event?) array
collecttop(number number, value event?) array
topone(value event?) any
"""
_ANALYTICS = """
lag(value event, offset number?, default any?) same
last(value event, default any?) same
isfirst(unit part, number number) bigint
anomalydetection_spikeanddip(number number, confidence number, history number, mode text) record
anomalydetection_changepoint(number number, confidence number, history number) record
"""
_APPLIED = """
getarrayelements(array array) array
getrecordproperties(record record) array
"""
# Aggregates that OVER (… LIMIT DURATION(…)) makes analytic.
_WITH_LIMIT = ("sum", "avg", "min", "max", "count", "collect", "collecttop", "topone")
ALIASES = {"getelements": "getarrayelements"}
# Types that no argument of a kind can have: the function would stop on every row.
IMPOSSIBLE: dict[Kind, tuple[TypeText, ...]] = {
    "text": ("record", "array"),
    "number": ("record", "array", "datetime"),
    "moment": ("record", "array", "bit"),
    "record": ("bigint", "float", "nvarchar", "bit", "datetime", "array"),
    "array": ("bigint", "float", "nvarchar", "bit", "datetime", "record"),
}
# … and types that no constant of the kind can have, though the language converts some of their values.
IMPOSSIBLE_CONSTANT: dict[Kind, tuple[TypeText, ...]] = {"number": ("nvarchar",), "moment": ("bigint", "float")}


def _read(lines: str, place: Place) -> dict[str, Function]:
    table = {}
    for line in lines.strip().splitlines():
        match = re.fullmatch(r"(\w+)\((.*)\) (\w+)", line)
        if match is None:
            raise ValueError(line)
        name, arguments, result = match.groups()
        parameters = tuple(_parameter(*argument.split()) for argument in arguments.split(", "))
        is_limited = place == "analytic" and name != "isfirst"
        table[name] = Function(
            name, parameters, cast("TypeText", result), place, with_limit=is_limited or name in _WITH_LIMIT
        )
    return table


def _parameter(name: str, kind: str) -> Parameter:
    return Parameter(name, cast("Kind", kind.rstrip("?*")), is_optional=kind[-1] in "?*", is_repeated=kind[-1] == "*")


FUNCTIONS: dict[str, Function] = {
    **_read(_SCALARS, "scalar"),
    **_read(_AGGREGATES, "aggregate"),
    **_read(_ANALYTICS, "analytic"),
    **_read(_APPLIED, "apply"),
}

# Names of other dialects are refused by the parser; these mean something elsewhere in the language.
_WRITE_INSTEAD = {
    **dict.fromkeys(("hour", "minute", "second", "quarter", "week"), "Use DATEPART({name}, date)."),
    "first": "Use TopOne() OVER (ORDER BY …); First is a function of MATCH_RECOGNIZE.",
    "classifier": "It is a function of MATCH_RECOGNIZE's MEASURES.",
}
_WINDOWS = ("tumbling", "hopping", "sliding", "session", "snapshot")
WINDOW_NAMES = (*_WINDOWS, *(f"{name}window" for name in _WINDOWS), "windows", "window")
_DURATIONS = ("duration", "hop", "offset", "timeout", "maxduration")


def function(name: str) -> Function | None:
    """The function of a name in any case, old names included; None if the language has none."""
    folded = name.lower()
    return FUNCTIONS.get(ALIASES.get(folded, folded))


def unknown_function(name: str) -> str:
    """What is wrong with the name of a function that the language lacks, and what to write instead."""
    folded = name.lower()
    if folded in WINDOW_NAMES:
        return f"{name} is a window: it stands in GROUP BY alone."
    if folded in _DURATIONS:
        return f"{name} is a part of a window or of OVER (LIMIT DURATION(unit, n)): it stands nowhere else."
    advice = _WRITE_INSTEAD.get(folded, "").format(name=name)
    if not advice:
        near = get_close_matches(folded, [*FUNCTIONS, "cast"], 1, 0.75)
        advice = f"Did you mean {spelled(near[0])}? " if near else ""
        advice += f"A function of your own is called with its prefix: udf.{name}(…)."
    return f"The language has no function {name}. {advice}"


def wrong_arity(called: Function, count: int) -> str | None:
    """What is wrong with a number of arguments; None if nothing is."""
    most = called.most
    if called.fewest <= count and (most is None or count <= most):
        return None
    if most is None:
        wanted = f"at least {called.fewest}"
    else:
        wanted = str(called.fewest) if called.fewest == most else f"{called.fewest} to {most}"
    noun = "argument" if wanted == "1" else "arguments"
    return f"{called.spelling} takes {wanted} {noun}, not {count}: {called.signature}."
