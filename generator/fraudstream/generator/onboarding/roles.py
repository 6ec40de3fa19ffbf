"""Which columns are the label, the id, the amount and the entities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudstream.core.project.project import MOST_ID_CHARACTERS
from fraudstream.generator.files.cells import FALSE, TRUE, number_text
from fraudstream.generator.onboarding.leaks import Doubles
from fraudstream.generator.onboarding.profile import Profile, squeezed, word_set

_LABELS = (
    *("isfraud", "txfraud", "fraud", "class", "label", "target", "fraudlabel", "isfraudulent", "fraudulent"),
    *("fraudflag", "fraudbool", "fraudreported", "fraudindicator", "fraudind", "betrug", "y", "outcome", "risk"),
)
_FRAUD_TEXTS = ("fraud", "bad", "chargeback", "positive", "malicious", "suspicious", "illicit")
_NOT_TEXTS = ("not", "non", "no ", "legit", "genuine", "ok")
_TWO = 2

_ID_WORDS = word_set("id uuid guid key ref reference number num no nr identifier")
_OWN_WORDS = word_set("transaction trans tx txn event message msg payment order request row record")
_IDS = frozenset({"id", "uuid", "guid", "transactionid", "txid", "transid", "eventid", "messageid", "paymentid"})

_AMOUNTS = (
    *("amount", "amt", "transactionamount", "transactionamt", "txamount", "value", "transactionvalue", "purchasevalue"),
    *("price", "total", "sum", "betrag", "montant", "importe", "montante"),
)
_AMOUNT_WORDS = word_set("amount amt betrag montant importe")

_ENTITY_WORDS = word_set(
    "karte kartennummer kunde kundennummer konto kontonummer händler carte compte commerçant tarjeta cuenta cliente "
    "card cc pan customer cust client user account acct acc terminal merchant device iban payer payee sender "
    "receiver beneficiary ip email phone member dest orig origin shop vendor employee household wallet address"
)
# Words that make of a customer's column a property of the customer.
_PROPERTY_WORDS = word_set(
    "age gender sex type category lat long lon latitude longitude country state city zip postcode dob birth "
    "score count balance limit income since days months group segment risk status name brand level class os "
    "mcc currency domain emaildomain tenure avg mean std sum total amount amt num present"
)
_LEAST_ENTITIES = 15
_MOST_DISTINCT = 0.9
_MOST_MISSING = 0.001


@dataclass(frozen=True, slots=True)
class LabelGuess:
    """The label's column; ``fraud_values`` where it is not 0 and 1, or the like."""

    profile: Profile
    evidence: str
    fraud_values: tuple[str, ...] = ()


def label_guess(profiles: Iterable[Profile]) -> LabelGuess | None:
    """The column that most likely is the label."""
    named = [(rank, profile) for profile in profiles if (rank := _label_rank(profile)) is not None]
    return label_of(min(named, key=lambda pair: pair[0])[1]) if named else None


def _label_rank(profile: Profile) -> int | None:
    name = squeezed(profile.column.path[-1])
    if name in _LABELS:
        return _LABELS.index(name) if 1 <= profile.distinct <= _TWO else None
    if ("fraud" in name or "chargeback" in name) and profile.distinct == _TWO:
        return len(_LABELS) + len(name)
    return None


def label_of(profile: Profile) -> LabelGuess | None:
    """How a column tells frauds from others; None where it does not with two values."""
    values = {_plain(value): value for value in profile.counts}
    if not values or len(values) > _TWO:
        return None
    rare = profile.counts.most_common()[-1]
    if all(text in TRUE | FALSE for text in values):
        frauds = sum(count for value, count in profile.counts.items() if _plain(value) in TRUE)
        return LabelGuess(profile, f"{_values(profile)}: {frauds:,} frauds, {frauds / profile.present:.2%}")
    fraud_values = [value for text, value in values.items() if _tells_fraud(text)]
    chosen = str(fraud_values[0]) if len(fraud_values) == 1 else str(rare[0])
    why = "by its name" if len(fraud_values) == 1 else "the rarer one"
    count = sum(count for value, count in profile.counts.items() if str(value) == chosen)
    evidence = f"{_values(profile)}: {chosen!r} means fraud, {why}; {count:,} frauds, {count / profile.present:.2%}"
    return LabelGuess(profile, evidence, (chosen,))


def _tells_fraud(text: str) -> bool:
    return any(word in text for word in _FRAUD_TEXTS) and not any(word in text for word in _NOT_TEXTS)


def _plain(value: Any) -> str:
    text = str(value).strip().lower()
    number = number_text(text)
    return text if number is None else f"{float(number):g}"


def _values(profile: Profile) -> str:
    return "values " + " and ".join(str(value) for value, _ in profile.counts.most_common())


def labels_of(guess: LabelGuess) -> Doubles:
    """1, 0, or NaN for an unknown one, for each row."""
    frauds = {_plain(value) for value in guess.fraud_values} or TRUE
    labels = {value: float(_plain(value) in frauds) for value in guess.profile.counts}
    return np.array([np.nan if value is None else labels.get(value, np.nan) for value in guess.profile.column.values])


def id_guesses(profiles: Iterable[Profile]) -> list[tuple[Profile, str]]:
    """The outer columns whose values are all different and that look like ids, the best first, with the evidence."""
    candidates = []
    for profile in profiles:
        rank, why = _id_rank(profile)
        if rank:
            candidates.append((rank, profile, why))
    candidates.sort(key=lambda entry: -entry[0])
    return [(profile, why) for _, profile, why in candidates]


def _id_rank(profile: Profile) -> tuple[int, str]:
    if len(profile.column.path) > 1 or profile.type not in ("integer", "string") or id_problem(profile) is not None:
        return 0, ""
    names = frozenset(profile.words)
    different = f"all {profile.present:,} values are different"
    if profile.column.is_unnamed:
        return (1, f"a column without a name; {different}") if profile.type == "integer" else (0, "")
    if squeezed(profile.column.column) in _IDS:
        return 6, f"its name; {different}"
    if names & _ID_WORDS and names & _OWN_WORDS:
        return 5, f"its name; {different}"
    if profile.format == "uuid" or (profile.type == "string" and _is_hexadecimal(profile)):
        return 4, f"{'UUIDs' if profile.format == 'uuid' else 'hexadecimal keys'}; {different}"
    if names & _ID_WORDS and not names & _ENTITY_WORDS:
        return 3, f"its name; {different}"
    return 0, ""


def _is_hexadecimal(profile: Profile) -> bool:
    lengths = {len(str(value)) for value in profile.counts}
    return (
        len(lengths) == 1
        and min(lengths) >= 16
        and all(set(str(value).lower()) <= set("0123456789abcdef") for value in profile.counts)
    )


def id_problem(profile: Profile) -> str | None:
    """Why a column cannot be the id, or None."""
    if profile.has_exponents:
        example = next(str(value) for value in profile.counts if "e" in str(value).lower())
        return f"holds {example}, of which a spreadsheet has cut the digits: format it as text there and export again"
    if profile.type not in ("integer", "string"):
        return f"holds no whole numbers and no texts ({profile.evidence})"
    if profile.missing_share:
        return f"is missing in {profile.missing_share:.2%} of the rows"
    if profile.longest > MOST_ID_CHARACTERS:
        return f"has values of {profile.longest} characters; an id has at most {MOST_ID_CHARACTERS}"
    if profile.distinct < profile.present:
        value, count = profile.counts.most_common(1)[0]
        return f"has {profile.present - profile.distinct:,} repeated values, such as {value} ({count} times)"
    return None


def amount_guesses(profiles: Iterable[Profile]) -> list[tuple[Profile, str]]:
    """The columns of numbers that look like the amount, the best first."""
    candidates = []
    for profile in profiles:
        if not profile.is_numeric or profile.missing_share > _MOST_MISSING:
            continue
        name = squeezed(profile.column.path[-1])
        if name in _AMOUNTS:
            candidates.append((_AMOUNTS.index(name), profile))
        elif _AMOUNT_WORDS & frozenset(profile.words):
            candidates.append((len(_AMOUNTS) + len(profile.words), profile))
    candidates.sort(key=lambda entry: entry[0])
    return [
        (profile, f"its name; numbers from {np.nanmin(profile.numbers):g} to {np.nanmax(profile.numbers):g}")
        for _, profile in candidates
    ]


def entity_guesses(profiles: Iterable[Profile], used: Sequence[str]) -> list[tuple[Profile, str]]:
    """The columns that name who takes part: their values come back."""
    guesses = []
    for profile in profiles:
        names = frozenset(word.rstrip("0123456789") for word in profile.words)
        if profile.name in used or profile.type not in ("integer", "string") or profile.has_exponents:
            continue
        if not names & _ENTITY_WORDS or (names & _PROPERTY_WORDS - _allowed(names)):
            continue
        is_repeated = _LEAST_ENTITIES <= profile.distinct <= _MOST_DISTINCT * profile.present
        if is_repeated and profile.missing_share <= _MOST_MISSING:
            times = profile.present / profile.distinct
            guesses.append((profile, f"its name; {profile.distinct:,} values, each {times:,.1f} times"))
    return guesses


def _allowed(names: frozenset[str]) -> frozenset[str]:
    """``cc_num`` is a card's number, ``nameDest`` the name of an account; ``num_cards`` counts."""
    return frozenset({"num"} if names & {"cc", "card", "acct", "account"} else set()) | (
        frozenset({"name"}) if names & {"orig", "dest"} else frozenset()
    )
