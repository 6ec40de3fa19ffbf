"""The project that a sample suggests: what each column is for, and why."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from fraudstream.core.contract.times import EPOCH, ISO, TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.reserved import COMPUTED_DIMENSIONS
from fraudstream.generator.files.names import unused
from fraudstream.generator.onboarding.leaks import Strength, strength
from fraudstream.generator.onboarding.moments import TimeGuess, is_in_order, last_midnight, time_guess, time_guesses
from fraudstream.generator.onboarding.profile import Profile, profile
from fraudstream.generator.onboarding.roles import (
    LabelGuess,
    amount_guesses,
    entity_guesses,
    id_guesses,
    id_problem,
    label_guess,
    label_of,
    labels_of,
)
from fraudstream.generator.onboarding.sampling import Sample

# A larger file is not read once more to see whether an id is unique.
_MOST_BYTES_READ_AGAIN = 200_000_000
# Numbers of so many digits are a card's, an account's or a phone's.
_LONG_NUMBER = 1e9
MADE_IDS = ("row", "hash")
MOST_CATEGORIES = 100
_MOST_SHOWN_CATEGORIES = 30
_MOST_FEW = 12
_MOST_DIMENSIONS, _MOST_BINNED = 8, 2
# A text is a category when each of its values stands so often, on average.
_LEAST_REPEATS = 5
_MOST_EMPTY = 0.9
_SHARES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97)
_LEAST_EDGES = 5
# So long a time a file without times is spread over, in steps that people use.
_SPREAD_SECONDS = 30 * 86_400
_STEPS = (0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says: names of columns or fields, None or empty for what is to be guessed."""

    label: str | None = None
    id: str | None = None
    time: str | None = None
    amount: str | None = None
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """What was decided, from which evidence, and how to correct it."""

    subject: str
    value: str
    evidence: str
    correction: str


@dataclass(slots=True)
class Plan:
    """All that a project's files say; the parts are field names unless they say otherwise."""

    sample: Sample
    profiles: dict[str, Profile]
    id: str
    made_id: str | None
    time: str
    form: TimeForm
    seconds_between_rows: float | None
    amount: str
    label: LabelGuess
    entities: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    amount_edges: tuple[int | float, ...] = ()
    edges: dict[str, tuple[int | float, ...]] = field(default_factory=dict)
    # Leaks, and further columns that no model is given, with the reason.
    leaks: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)


def make_plan(sample: Sample, wishes: Wishes, today: datetime) -> Plan:
    """Guess what is not wished for.

    Raises :class:`ConfigurationError` where a column that is needed is not found, or one that is named is not fit.
    """
    return _Planning(sample, wishes, today).plan()


class _Planning:
    def __init__(self, sample: Sample, wishes: Wishes, today: datetime) -> None:
        self._sample, self._wishes, self._today = sample, wishes, today
        self._profiles = {
            column.name: profile(column, sample.has_decimal_comma) for column in _distinct(sample.columns)
        }
        self._guesses: list[Guess] = []

    def plan(self) -> Plan:
        label = self._label()
        others = [candidate for candidate in self._profiles.values() if candidate.name != label.profile.name]
        time = self._time(others)
        others = [candidate for candidate in others if time is None or candidate.name != time.name]
        id, made_id = self._id(others)
        amount = self._amount([candidate for candidate in others if candidate.name != id])
        entities = self._entities(others, (id, amount.name))
        time_name, form, seconds = self._time_line(time)
        plan = Plan(
            *(self._sample, self._profiles, id, made_id, time_name, form, seconds, amount.name, label, entities),
            guesses=self._guesses,
        )
        strengths = self._strengths(plan)
        self._choose_inputs(plan, strengths)
        self._choose_dimensions(plan, strengths)
        return plan

    def _say(self, subject: str, value: str, evidence: str, correction: str) -> None:
        self._guesses.append(Guess(subject, value, evidence, correction))

    def _named(self, option: str, name: str) -> Profile:
        """The column that an option names, by the file's name or the field's."""
        for candidate in self._profiles.values():
            if name in (candidate.name, candidate.column.column):
                return candidate
        known = [candidate.name for candidate in self._profiles.values()]
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Is {near[0]} meant?" if near else f" There are: {', '.join(known[:40])}."
        raise ConfigurationError(f"--{option} {name}: {self._sample.file} has no such column.{hint}")

    def _label(self) -> LabelGuess:
        if self._wishes.label is not None:
            candidate = self._named("label", self._wishes.label)
            named = label_of(candidate)
            if named is None:
                raise ConfigurationError(
                    f"--label {self._wishes.label}: it has {candidate.distinct:,} different values, such as "
                    f"{candidate.examples()}; a label has two. Name a column that tells frauds from others."
                )
            guess = named
        else:
            guessed = label_guess(self._profiles.values())
            if guessed is None:
                two = [candidate.name for candidate in self._profiles.values() if candidate.distinct == 2]
                shown = f"Columns of two values: {', '.join(two[:20])}. " if two else "No column has two values. "
                raise ConfigurationError(
                    f"{self._sample.file} has no column that looks like a label: 1 for fraud, 0 for none. {shown}"
                    "Name it with --label COLUMN; without labels there is nothing to train on."
                )
            guess = guessed
        self._say("label", guess.profile.name, guess.evidence, "--label COLUMN, or [source] fraud_values")
        return guess

    def _time(self, profiles: Sequence[Profile]) -> TimeGuess | None:
        if self._wishes.time is not None:
            candidate = self._named("time", self._wishes.time)
            named = time_guess(candidate, self._today, is_named=True)
            if named is None:
                raise ConfigurationError(
                    f"--time {self._wishes.time}: no time can be read in {candidate.examples()}. ISO 8601, numbers of "
                    "seconds and forms of strptime with a year can. Name another column."
                )
            return named
        guesses = time_guesses(profiles, self._today)
        return guesses[0] if guesses else None

    def _time_line(self, time: TimeGuess | None) -> tuple[str, TimeForm, float | None]:
        correction = "--time COLUMN, or time_format in [event]"
        if time is not None:
            self._say("time", f"{time.name}, {_form_text(time.form)}", time.evidence, correction)
            return time.name, time.form, None
        wanted = _SPREAD_SECONDS / self._sample.total
        seconds = max((step for step in _STEPS if step <= wanted), default=_STEPS[0])
        begin = last_midnight(self._today) - timedelta(seconds=int(self._sample.total * seconds))
        name = unused("time", self._profiles)
        evidence = f"no column holds times: the rows follow each other by {seconds:g} s, up to the last midnight"
        self._say("time", f"{name}, made", evidence, "--time COLUMN, or seconds_between_rows in [source]")
        return name, TimeForm(ISO, origin=begin), seconds

    def _id(self, profiles: Sequence[Profile]) -> tuple[str, str | None]:
        wish, correction = self._wishes.id, "--id COLUMN, --id row or --id hash"
        if wish is not None and wish not in MADE_IDS:
            candidate = self._named("id", wish)
            problem = "stands inside an object; only an outer field can be" if len(candidate.column.path) > 1 else None
            if (problem := problem or id_problem(candidate)) is not None:
                raise ConfigurationError(
                    f"--id {wish}: the column {problem}. Name another column, or --id row for the row's number."
                )
            self._say("id", candidate.name, "named by --id", correction)
            return candidate.name, None
        for candidate, why in id_guesses(profiles) if wish is None else ():
            repeated = repeated_values(self._sample, candidate)
            if repeated is None or not repeated:
                seen = "" if self._sample.is_whole or repeated == 0 else f" among the {self._sample.count:,} looked at"
                self._say("id", candidate.name, f"{why}{seen}", correction)
                return candidate.name, None
        made_id = wish or "row"
        name = unused("id", self._profiles)
        what = "the row's number, from 1" if made_id == "row" else "a digest of the row"
        evidence = "as --id says" if wish else "no column has different values and looks like an id" + self._cut_ids()
        self._say("id", f"{name}, {what}", evidence, correction)
        return name, made_id

    def _cut_ids(self) -> str:
        cut = [
            candidate.name
            for candidate in self._profiles.values()
            if candidate.has_exponents and "id" in candidate.words
        ]
        return f"; {cut[0]} {id_problem(self._profiles[cut[0]])}" if cut else ""

    def _amount(self, profiles: Sequence[Profile]) -> Profile:
        if self._wishes.amount is not None:
            candidate = self._named("amount", self._wishes.amount)
            if not candidate.is_numeric:
                raise ConfigurationError(
                    f"--amount {self._wishes.amount}: the column holds no numbers ({candidate.evidence}): "
                    f"{candidate.examples()}. Name a column of numbers."
                )
            self._say("amount", candidate.name, "named by --amount", "--amount COLUMN")
            return candidate
        guesses = amount_guesses(profiles)
        if not guesses:
            numbers = [candidate.name for candidate in profiles if candidate.is_numeric]
            raise ConfigurationError(
                f"{self._sample.file} has no column that looks like an amount. Name it with --amount COLUMN. Columns "
                f"of numbers: {', '.join(numbers[:40]) or 'none'}."
            )
        candidate, why = guesses[0]
        self._say("amount", candidate.name, why, "--amount COLUMN")
        return candidate

    def _entities(self, profiles: Sequence[Profile], used: Sequence[str]) -> tuple[str, ...]:
        correction = "--entity COLUMN, once for each"
        if self._wishes.entities:
            named = [self._named("entity", name) for name in self._wishes.entities]
            for candidate in named:
                if candidate.has_exponents or candidate.type not in ("integer", "string"):
                    problem = id_problem(candidate) or f"holds {candidate.evidence}"
                    raise ConfigurationError(
                        f"--entity {candidate.name}: the column {problem}. Name a column of whole numbers or texts."
                    )
            names = tuple(candidate.name for candidate in named)
            self._say("entities", ", ".join(names), "named by --entity", correction)
            return names
        guesses = entity_guesses(profiles, used)
        if guesses:
            for candidate, why in guesses:
                self._say("entity", candidate.name, why, correction)
        else:
            self._say("entities", "none", "no column of a card, customer, terminal … comes back", correction)
        return tuple(candidate.name for candidate, _ in guesses)

    def _strengths(self, plan: Plan) -> dict[str, Strength]:
        labels = labels_of(plan.label)
        apart = (plan.id, plan.time, plan.label.profile.name)
        return {name: strength(candidate, labels) for name, candidate in self._profiles.items() if name not in apart}

    def _choose_inputs(self, plan: Plan, strengths: dict[str, Strength]) -> None:
        inputs = []
        for name, candidate in self._profiles.items():
            if name in (plan.id, plan.time, plan.label.profile.name):
                continue
            if strengths[name].leak:
                plan.leaks[name] = strengths[name].leak
                self._say(
                    "leak",
                    name,
                    f"{strengths[name].leak}: no model is given it",
                    "add it to [model] inputs if it is none",
                )
                continue
            reason = self._why_no_input(plan, candidate)
            if reason:
                plan.left_out[name] = reason
                continue
            inputs.append(name)
            if candidate.type == "string":
                plan.categories[name] = tuple(sorted(str(value) for value in candidate.counts))
        if not inputs:
            raise ConfigurationError(
                f"{self._sample.file} has no column that a model could score by: all are ids, times, texts of many "
                f"values or give the label away ({', '.join(plan.leaks) or 'none'}). Name the roles by options."
            )
        plan.inputs = tuple(inputs)
        self._say(
            "model inputs",
            f"{len(inputs)} of {len(self._profiles)} columns",
            "numbers, booleans, and texts of few values" + (f"; not {_listed(plan.left_out)}" if plan.left_out else ""),
            "[model] inputs and [categories]",
        )

    def _why_no_input(self, plan: Plan, candidate: Profile) -> str:
        """Why no model is given a column; empty where it is."""
        if candidate.name in plan.entities:
            return "an entity"
        if candidate.type in ("array", "mixed", "empty"):
            return {"array": "a list", "mixed": "of several types", "empty": "empty"}[candidate.type]
        if candidate.is_constant:
            return "the same everywhere"
        if candidate.column.is_unnamed or (
            candidate.type == "integer"
            and candidate.distinct == len(candidate.column.values)
            and is_in_order(candidate)
        ):
            return "the rows' numbers"
        if candidate.is_numeric and candidate.name != plan.amount and time_guess(candidate, self._today) is not None:
            return "another time"
        if candidate.type == "integer" and np.nanmedian(np.abs(candidate.numbers)) >= _LONG_NUMBER:
            return "long numbers, as names of something"
        if candidate.type == "string" and not self._is_category(candidate):
            return "a text of many values"
        return ""

    def _is_category(self, candidate: Profile) -> bool:
        if not 1 <= candidate.distinct <= MOST_CATEGORIES or candidate.present < _LEAST_REPEATS * candidate.distinct:
            return False
        return candidate.format is None and time_guess(candidate, self._today, is_named=True) is None

    def _choose_dimensions(self, plan: Plan, strengths: dict[str, Strength]) -> None:
        few, binned = [], []
        for name in plan.inputs:
            candidate = self._profiles[name]
            if name in (plan.amount, *COMPUTED_DIMENSIONS) or candidate.missing_share > _MOST_EMPTY:
                continue
            most = {"boolean": 2, "string": _MOST_SHOWN_CATEGORIES, "integer": _MOST_FEW}.get(candidate.type, 0)
            if candidate.distinct <= most:
                few.append(name)
            elif candidate.is_numeric:
                binned.append(name)
        binned.sort(key=lambda name: -strengths[name].precision)
        for name in binned[:_MOST_BINNED]:
            edges = nice_edges(self._profiles[name].numbers)
            if len(edges) > 1:
                plan.edges[name] = edges
        # Texts and booleans are what people count by; a number of few values may be a category, or a mere count.
        few.sort(key=lambda name: (self._profiles[name].type == "integer", -strengths[name].precision))
        chosen = {*few[: _MOST_DIMENSIONS - len(plan.edges)], *plan.edges}
        plan.dimensions = tuple(name for name in plan.inputs if name in chosen)
        plan.amount_edges = nice_edges(self._profiles[plan.amount].numbers)
        self._say(
            "dimensions",
            ", ".join((*plan.dimensions, "hour", "weekday", "amount")),
            "fields of few values and, in bins, the numbers that tell most of the label",
            "[dimensions]",
        )


def _distinct(columns: Sequence[Any]) -> Iterator[Any]:
    """The columns whose names are not taken by an earlier one, whatever the case of their letters."""
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() not in seen:
            seen.add(column.name.lower())
            yield column


def _form_text(form: TimeForm) -> str:
    if form.form == EPOCH:
        since = "1970" if form.origin.timestamp() == 0 else f"{form.origin:%Y-%m-%d %H:%M:%S}"
        return f"{form.unit} since {since}"
    return "ISO 8601" if form.form == ISO else form.form


def _listed(left_out: dict[str, str], most: int = 8) -> str:
    shown = [f"{name} ({why})" for name, why in list(left_out.items())[:most]]
    rest = len(left_out) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def repeated_values(sample: Sample, candidate: Profile) -> int | None:
    """How many values of a column repeat another in the whole file; None where looking would take long."""
    if sample.is_whole:
        return candidate.present - candidate.distinct
    if sample.kind == "parquet":
        from fraudstream.generator.files.columnar import Columnar

        return sample.total - Columnar(sample.file).distinct(candidate.column.column)
    if sample.kind != "csv" or sample.file.stat().st_size > _MOST_BYTES_READ_AGAIN:
        return None
    from fraudstream.generator.files.delimited import Delimited

    table = Delimited(sample.file)
    hashes = {hash(cells[0]) for cells in table.rows(0, [table.names.index(candidate.name)])}
    return sample.total - len(hashes)


def nice_edges(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[int | float, ...]:
    """Lower edges of bins that hold similar numbers of rows, rounded to what people read."""
    known = numbers[np.isfinite(numbers)]
    quantiles = [float(value) for value in np.quantile(known, _SHARES)]
    if quantiles[0] >= 0:
        quantiles[0] = 0.0
    edges: list[float] = []
    for digits in (1, 2, 3):
        edges = sorted({_rounded(value, digits) for value in quantiles})
        if len(edges) >= _LEAST_EDGES:
            break
    return tuple(int(edge) if edge == int(edge) else edge for edge in edges)


def _rounded(value: float, digits: int) -> float:
    if not value:
        return 0.0
    places = -math.floor(math.log10(abs(value)))
    if digits == 1:
        leading = min(_LEADING, key=lambda digit: abs(digit - abs(value) * 10.0**places))
        return math.copysign(round(leading * 10.0**-places, max(places, 0)), value)
    return float(round(value, digits - 1 + places))


# Neither 7 nor 9, which would stand beside 8 and 10.
_LEADING = (1, 2, 3, 4, 5, 6, 8, 10)
