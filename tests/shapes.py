"""Files of transactions in the shapes of public fraud data: their columns, types and oddities, made from a seed.

None of the published rows is in them. Frauds differ in the amount and in a few other columns, in none of them alone.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 3_000
# Public data has 0.1 to 3.5 %; a small file needs enough frauds to learn from.
FRAUD_SHARE = 0.02

_BEGIN = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)

Cells = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One public data set's shape, and what its columns are for: None for what it has not.

    ``leaks`` tell the label; ``columns`` is the number of columns, of nested ones the number of scalar fields.
    """

    file: str
    write: Callable[[Path, int, np.random.Generator, np.ndarray], None]
    columns: int
    id: str | None
    time: str | None
    amount: str
    label: str
    entities: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()

    def make(self, folder: Path, rows: int = ROWS, seed: int = 1, fraud_share: float = FRAUD_SHARE) -> Path:
        """Write the file into a folder; returns its place."""
        rng = np.random.default_rng(seed)
        frauds = np.zeros(rows, dtype=bool)
        # Spread over the file, so that its first part has its share of them.
        every = max(1, round(1 / fraud_share))
        frauds[(np.arange(0, rows, every) + rng.integers(0, every)) % rows] = True
        file = folder / self.file
        self.write(file, rows, rng, frauds)
        return file


def _write_csv(file: Path, header: Sequence[str], rows: Cells, quoting: int = csv.QUOTE_MINIMAL) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
        writer.writerow(header)
        writer.writerows(rows)


def _write_creditcard(file: Path, rows: int, rng: np.random.Generator, frauds: np.ndarray) -> None:
    """Two days of seconds; R wrote the numbers (`1e+05`), and quoted the header and the class."""
    seconds = np.sort(rng.integers(0, 172_793, rows))
    seconds[rows // 2] = 100_000
    seconds.sort()
    components = rng.normal(0, np.linspace(1.9, 0.3, 28), (rows, 28))
    for at, shift in ((3, 2.2), (10, 1.8), (11, -2.4), (13, -2.6), (16, -2.0)):
        components[:, at] += shift * frauds * rng.uniform(0.4, 1.2, rows)
    amounts = np.round(rng.lognormal(3.0, 1.4, rows) * np.where(frauds, 2.5, 1.0), 2)
    names = ["Time", *(f"V{number}" for number in range(1, 29)), "Amount", "Class"]
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(f'"{name}"' for name in names) + "\n")
        for second, parts, amount, fraud in zip(seconds, components, amounts, frauds, strict=True):
            shown = "1e+05" if second == 100_000 else str(second)
            stream.write(f'{shown},{",".join(f"{part:.15g}" for part in parts)},{amount:g},"{int(fraud)}"\n')


def _write_paysim(file: Path, rows: int, rng: np.random.Generator, frauds: np.ndarray) -> None:
    """Hours of a month; names as ids of customers and merchants; a second label that a rule of amounts gave."""
    steps = np.sort(rng.integers(1, 744, rows))
    usual = rng.choice(["PAYMENT", "CASH_IN", "CASH_OUT", "TRANSFER", "DEBIT"], rows, p=[0.34, 0.22, 0.35, 0.08, 0.01])
    types = np.where(frauds, rng.choice(["TRANSFER", "CASH_OUT"], rows), usual)
    amounts = np.round(rng.lognormal(10.5, 1.2, rows) * np.where(frauds, 6.0, 1.0), 2)
    # A fraud empties the account; so do others.
    before = np.where(frauds | (rng.random(rows) < 0.05), amounts, np.round(rng.lognormal(9.5, 2.0, rows), 2))
    before = np.where(rng.random(rows) < 0.3, 0.0, before)
    after = np.maximum(0.0, np.round(before - amounts, 2))
    payers = [f"C{number}" for number in rng.integers(10**6, 2 * 10**9, rows)]
    accounts = [f"C{number}" for number in rng.integers(10**6, 2 * 10**9, max(1, rows // 8))]
    shops = [f"M{number}" for number in rng.integers(10**6, 2 * 10**9, max(1, rows // 10))]

    def cells() -> Cells:
        for at in range(rows):
            paid = types[at] == "PAYMENT"
            receiver = shops[rng.integers(len(shops))] if paid else accounts[rng.integers(len(accounts))]
            stood = 0.0 if paid else round(float(rng.lognormal(12, 1.5)), 2)
            stands = 0.0 if paid else round(stood + amounts[at], 2)
            flagged = int(frauds[at] and amounts[at] > 1_500_000)
            own = (steps[at], types[at], amounts[at], payers[at], before[at], after[at])
            yield (*own, receiver, stood, stands, int(frauds[at]), flagged)

    names = "step type amount nameOrig oldbalanceOrg newbalanceOrig nameDest oldbalanceDest newbalanceDest"
    _write_csv(file, [*names.split(), "isFraud", "isFlaggedFraud"], cells())


_FIRST = ("Jennifer", "Stephanie", "Edward", "Jeremy", "Tyler", "José", "Zoë")
_LAST = ("Banks", "Gill", "Sanchez", "White", "O'Connor", "Núñez", "St. John")
_JOBS = ("Psychologist, counselling", "Special educational needs teacher", "Lawyer", 'Engineer, "site"', "Architect")
_CATEGORIES = ("misc_net", "grocery_pos", "entertainment", "gas_transport", "shopping_net", "shopping_pos", "travel")
_STREETS = ("561 Perry Cove", "43039 Riley Greens Suite 393", "594 White Dale, Apt. 3")


def _write_sparkov(file: Path, rows: int, rng: np.random.Generator, frauds: np.ndarray) -> None:
    """A first column without a name, which numbers the rows; card numbers of 11 to 19 digits; names with commas."""
    times = [_BEGIN + timedelta(seconds=int(second)) for second in np.sort(rng.integers(0, 90 * 86_400, rows))]
    amounts = np.round(rng.lognormal(3.5, 1.0, rows) * np.where(frauds, rng.choice([1.0, 12.0], rows), 1.0), 2)
    usual = rng.choice(_CATEGORIES, rows)
    categories = np.where(frauds & (rng.random(rows) < 0.7), "shopping_net", usual)
    people = []
    for number in range(max(20, rows // 40)):
        digits = int(rng.integers(11, 20))
        card = str(rng.integers(10 ** (digits - 1), min(10**digits, 9 * 10**18)))
        zip_code = f"{rng.integers(501, 99_950):05d}" if number else "01234"
        latitude, longitude = round(float(rng.uniform(25, 48)), 4), round(float(rng.uniform(-122, -70)), 4)
        born = f"{rng.integers(1940, 2004)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
        name = (str(rng.choice(_FIRST)), str(rng.choice(_LAST)), str(rng.choice(["F", "M"])))
        home = (str(rng.choice(_STREETS)), "Moravian Falls", str(rng.choice(["NC", "WA", "NY", "TX"])), zip_code)
        population = int(rng.integers(100, 2_000_000))
        people.append((card, name, (*home, latitude, longitude, population), str(rng.choice(_JOBS)), born))
    merchants = [f"fraud_{first}, {second} and {first}son" for first in _LAST for second in ("Kub", "Mann", "Rippin")]

    def cells() -> Cells:
        for at, time in enumerate(times):
            card, name, home, job, born = people[rng.integers(len(people))]
            merchant = merchants[rng.integers(len(merchants))]
            key = rng.bytes(16).hex()
            place = (round(float(rng.uniform(25, 48)), 6), round(float(rng.uniform(-122, -70)), 6))
            bought = (card, merchant, categories[at], amounts[at], *name, *home, job, born, key)
            yield (at, f"{time:%Y-%m-%d %H:%M:%S}", *bought, int(time.timestamp()), *place, int(frauds[at]))

    names = "trans_date_trans_time cc_num merchant category amt first last gender street city state zip lat long"
    others = "city_pop job dob trans_num unix_time merch_lat merch_long is_fraud"
    _write_csv(file, ["", *names.split(), *others.split()], cells())


def _write_ieee_cis(file: Path, rows: int, rng: np.random.Generator, frauds: np.ndarray) -> None:
    """394 columns, mostly empty; seconds from a day that nobody was told; integers written `404.0` by pandas."""
    seconds = np.sort(rng.integers(86_400, 15_811_131, rows))
    amounts = np.round(rng.lognormal(4.2, 0.9, rows) * np.where(frauds, rng.choice([0.8, 3.0], rows), 1.0), 3)
    products = np.where(frauds & (rng.random(rows) < 0.5), "C", rng.choice(list("WWWWWCHRS"), rows))

    def some(values: np.ndarray, share: float, as_written: Callable[[Any], str] = str) -> list[str]:
        return [as_written(value) if held else "" for value, held in zip(values, rng.random(rows) < share, strict=True)]

    def whole(low: int, high: int, share: float) -> list[str]:
        return some(rng.integers(low, high, rows), share, lambda number: f"{number}.0")

    def named(values: Sequence[str], share: float) -> list[str]:
        return some(rng.choice(values, rows), share)

    columns: dict[str, Iterable[Any]] = {
        "TransactionID": range(2_987_000, 2_987_000 + rows),
        "isFraud": frauds.astype(int),
        "TransactionDT": seconds,
        "TransactionAmt": [f"{amount:.3f}".rstrip("0") + ("0" if amount == int(amount) else "") for amount in amounts],
        "ProductCD": products,
        "card1": rng.choice(rng.integers(1_000, 18_397, max(10, rows // 10)), rows),
        "card2": whole(100, 601, 0.98),
        "card3": whole(100, 232, 0.99),
        "card4": named(("visa", "mastercard", "american express", "discover"), 0.99),
        "card5": whole(100, 238, 0.99),
        "card6": named(("debit", "credit"), 0.99),
        "addr1": whole(100, 541, 0.9),
        "addr2": whole(10, 103, 0.9),
        "dist1": whole(0, 10_287, 0.4),
        "dist2": whole(0, 11_624, 0.06),
        "P_emaildomain": named(("gmail.com", "yahoo.com", "anonymous.com", "hotmail.com", "aol.com"), 0.84),
        "R_emaildomain": named(("gmail.com", "hotmail.com", "anonymous.com"), 0.23),
        **{f"C{number}": whole(0, 40, 1.0) for number in range(1, 15)},
        **{f"D{number}": whole(0, 640, 0.9 if number == 1 else 0.15) for number in range(1, 16)},
        **{f"M{number}": named(("M0", "M1", "M2") if number == 4 else ("T", "F"), 0.5) for number in range(1, 10)},
        **{f"V{number}": whole(0, 8, 0.9 if number in (258, 283) else 0.1) for number in range(1, 340)},
    }
    # Two counts that are higher where there is fraud.
    for name in ("C1", "V258"):
        shifted = np.where(frauds, rng.integers(4, 60, rows), rng.poisson(3, rows))
        columns[name] = some(shifted, 0.9, lambda number: f"{number}.0")
    _write_csv(file, list(columns), zip(*columns.values(), strict=True))


_MERCHANTS = (
    ("M0004711", "Müller, Söhne & Co.", "5411"),
    ("M0004712", 'Café "Zur Post"', "5812"),
    ("M0815000", "AIR FRANCE 0571234567890", "3007"),
    ("M0815001", "Casino <Royale>/Nice", "7995"),
    ("M0815002", "電器店", "5732"),
)


def _write_iso8583(file: Path, rows: int, rng: np.random.Generator, frauds: np.ndarray) -> None:
    """Authorisation requests as a gateway writes them to JSON: groups of fields, digits in texts, a list, an UUID."""
    cards = [str(rng.integers(10**15, 10**16)) for _ in range(max(20, rows // 30))]
    terminals = [f"T{number:07d}" for number in rng.integers(0, 10**7, 40)]
    seconds = np.sort(rng.integers(0, 60 * 86_400, rows))
    offset = timezone(timedelta(hours=1))
    with file.open("w", encoding="utf-8", newline="") as stream:
        for at in range(rows):
            fraud = bool(frauds[at])
            sent = _BEGIN + timedelta(seconds=int(seconds[at]), milliseconds=int(rng.integers(1000)))
            cents = int(rng.lognormal(8.0, 0.9) * (rng.choice([1, 9]) if fraud else 1)) + 1
            number = 3 if fraud and rng.random() < 0.6 else int(rng.integers(len(_MERCHANTS)))
            merchant = dict(zip(("id", "name", "mcc"), _MERCHANTS[number], strict=True))
            message: dict[str, Any] = {
                "message_id": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
                "mti": "0100",
                "received_at": sent.astimezone(offset).isoformat(timespec="milliseconds"),
                "fields": {
                    "pan": cards[rng.integers(len(cards))],
                    "processing_code": str(rng.choice(["000000", "010000", "200000"])),
                    "amount": cents / 100,
                    "amount_as_sent": f"{cents:012d}",
                    "transmission_date_time": f"{sent:%m%d%H%M%S}",
                    "stan": f"{at % 1_000_000:06d}",
                    "pos_entry_mode": "812" if fraud and rng.random() < 0.5 else str(rng.choice(["051", "071", "812"])),
                    "currency": "978",
                },
                "terminal": {
                    "id": terminals[rng.integers(len(terminals))],
                    "country": str(rng.choice(["DE", "FR", "NL"])),
                    "attended": bool(rng.random() < 0.7),
                },
                "merchant": merchant,
                "additional_amounts": [
                    {
                        "type": str(rng.choice(["40", "42", "57"])),
                        "currency": "978",
                        "amount": int(rng.integers(1, 5000)),
                    }
                    for _ in range(rng.integers(0, 3))
                ],
                "fraud": fraud,
            }
            if rng.random() < 0.2:
                message["terminal"]["capability"] = None
            stream.write(json.dumps(message, ensure_ascii=False) + "\n")


SHAPES: dict[str, Shape] = {
    "creditcard": Shape("creditcard.csv", _write_creditcard, 31, id=None, time="Time", amount="Amount", label="Class"),
    "paysim": Shape(
        "paysim.csv",
        _write_paysim,
        11,
        id=None,
        time="step",
        amount="amount",
        label="isFraud",
        entities=("nameDest",),
        leaks=("isFlaggedFraud",),
    ),
    "sparkov": Shape(
        "sparkov.csv",
        _write_sparkov,
        23,
        id="trans_num",
        time="trans_date_trans_time",
        amount="amt",
        label="is_fraud",
        entities=("cc_num", "merchant"),
    ),
    "ieee_cis": Shape(
        "ieee_cis.csv",
        _write_ieee_cis,
        394,
        id="TransactionID",
        time="TransactionDT",
        amount="TransactionAmt",
        label="isFraud",
        entities=("card1",),
    ),
    "iso8583": Shape(
        "iso8583.jsonl",
        _write_iso8583,
        19,
        id="message_id",
        time="received_at",
        amount="fields.amount",
        label="fraud",
        entities=("fields.pan", "terminal.id"),
    ),
}
