"""Documents into the store, in unordered bulks by ``_id``: the first event with an id wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from pymongo import DESCENDING
from pymongo.database import Database

from fraudstream.core.contract.limits import MOST_DOCUMENT_BYTES
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents.client import (
    ALERTS,
    ALERTS_KEPT,
    RECENT,
    RECENT_SLOTS,
    REJECTED,
    TRANSACTIONS,
    VERDICTS,
    Document,
)
from fraudstream.core.documents.throttling import (
    MOST_OPERATIONS,
    Encoded,
    Outcome,
    Patience,
    Refused,
    WriteLimits,
    insert_new,
    patiently,
    read_all,
    upsert_all,
)
from fraudstream.core.documents.write_errors import DUPLICATE_KEY
from fraudstream.core.errors import StoreUnavailable
from fraudstream.store.aside import Aside, Withdrawals, claimed, unwritten
from fraudstream.store.records import LIVE, Record, document, is_transaction, is_verdict
from fraudstream.store.verdicts import write_verdicts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Pruning reads the surplus: it waits until there is enough of it.
_PRUNE_SURPLUS = 500
# The records that are written together, while Spark reads the next ones: some bulks, so that all writers have their
# turn, and the few alerts among them take one bulk more. A limit in bytes as well, because a large event is in memory
# in several forms.
CHUNK = 4 * MOST_OPERATIONS
CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What one call wrote: new transactions, redelivered ones, and rejected events (duplicates included).

    Verdicts are not among them.
    """

    transactions: int
    redelivered: int
    rejected: int

    def __add__(self, other: Written) -> Written:
        return Written(
            self.transactions + other.transactions,
            self.redelivered + other.redelivered,
            self.rejected + other.rejected,
        )


class Transaction(NamedTuple):
    """A document of `transactions`, its record, and the partition and offset of the record whose slot it takes."""

    document: Document
    encoded: Encoded
    record: Record
    at: tuple[int, int]

    def set_aside(self, reason: str, now: datetime) -> Document:
        """The document of `rejected` for an event that the store does not take."""
        return unwritten(self.document, self.record, reason, now)


class DocumentWriter:
    """Writes records of the topics `scored`, `labels` and `rejected`; writing a record again changes nothing."""

    def __init__(
        self,
        db: Database[Document],
        limits: WriteLimits | None = None,
        withdrawals: Withdrawals | None = None,
    ) -> None:
        self._db = db
        self._withdrawals = withdrawals or Withdrawals()
        self._limits = limits or WriteLimits()
        self._patience = Patience(self._limits)

    def write(self, records: Iterable[Record], now: datetime) -> Written:
        """Write all records, some at a time; returns once the store has acknowledged them.

        Raises ``PyMongoError``, and :class:`StoreUnavailable` when the store has no request units for too long.
        """
        self._patience = Patience(self._limits)
        written = Written(0, 0, 0)
        recent: dict[str, Transaction] = {}
        for chunk in _chunks(records):
            aside = Aside(self._withdrawals)
            transactions = _documents(chunk, now, aside)
            inserted = self._insert_transactions(transactions, now, aside)
            self._insert_alerts(transactions, now, aside.rejected)
            self._write_verdicts(aside, now)
            self.reject(aside.rejected)
            # Last: what cannot be rejected either is tried again whole, and may be stored then.
            self.withdraw(aside.uncounted, now)
            _keep_newest(recent, transactions.values())
            if sum(transaction.encoded.size for transaction in recent.values()) > CHUNK_BYTES:
                written += self._replace_recent(recent, now)
                recent = {}
            again = len(transactions) - inserted + aside.redelivered
            written += Written(inserted, again, len(aside.rejected))
        return written + self._replace_recent(recent, now)

    def _insert_transactions(self, transactions: dict[Any, Transaction], now: datetime, aside: Aside) -> int:
        """Returns how many are new. Removes from ``transactions`` refused events and those under a taken id."""
        outcome = self._insert(TRANSACTIONS, [transaction.encoded for transaction in transactions.values()])
        new_ones = len(transactions) - len(outcome.taken) - len(outcome.refused)
        for refusal in outcome.refused:
            refused = transactions.pop(refusal.document.id)
            aside.add(refused.document, refused.record, refusal.reason, now)
        missing = {encoded.id for encoded in outcome.taken}
        for known in self._stored(TRANSACTIONS, list(missing)):
            missing.discard(known["_id"])
            again = transactions[known["_id"]]
            if not _same_record(known, again.document):
                aside.add_second(again.document, again.record, known, now)
                del transactions[known["_id"]]
            else:
                # The first decision stands; a redelivered event may have been scored again.
                transactions[known["_id"]] = again._replace(document=known, encoded=Encoded.of(known))
                aside.add_later(again.document, again.record, known)
        for id in missing:
            # No document has this `_id`: a unique index on other fields refused it.
            reason = f"code {DUPLICATE_KEY}: another document has the same value in a unique index of {TRANSACTIONS}"
            refused = transactions.pop(id)
            aside.add(refused.document, refused.record, reason, now)
        return new_ones

    def withdraw(self, records: Iterable[Record], now: datetime) -> None:
        """Withdraw from the rollups each event that is not stored, unless they count it as a stored event."""
        unstored = [(event, record) for record in records if (event := claimed(record, now)) is not None]
        stored = self._stored(TRANSACTIONS, list({event["_id"] for event, _ in unstored}))
        counted = {self._withdrawals.counted_as(known) for known in stored}
        uncounted = [record for event, record in unstored if self._withdrawals.counted_as(event) not in counted]
        if uncounted:
            self._withdrawals.write(uncounted)

    def _insert_alerts(self, transactions: dict[Any, Transaction], now: datetime, rejected: list[Document]) -> None:
        alerts = [alert.encoded for alert in transactions.values() if alert.document.get("prediction") == 1]
        refused = self._insert(ALERTS, alerts).refused
        rejected += [transactions[alert.document.id].set_aside(f"{ALERTS}: {alert.reason}", now) for alert in refused]

    def _write_verdicts(self, aside: Aside, now: datetime) -> None:
        verdicts = [verdict for verdict, _ in aside.verdicts]
        for refused in write_verdicts(self._db, verdicts, self._limits, self._patience):
            source = dict(refused.document.raw["source"])
            verdict, record = next(pair for pair in aside.verdicts if pair[0]["source"] == source)
            reason = f"{VERDICTS}: {refused.reason}"
            aside.rejected.append(unwritten(verdict | {"enqueued_at": record.timestamp}, record, reason, now))

    def reject(self, rejected: Sequence[Document]) -> None:
        """Insert documents of `rejected`. Raises as :meth:`write` does, also where the store refuses one of them."""
        outcome = self._insert(REJECTED, map(Encoded.of, rejected))
        if outcome.taken:
            outcome = self._insert(REJECTED, map(Encoded.of, self._of_other_records(rejected, outcome.taken)))
        require_taken(outcome.refused)

    def _of_other_records(self, rejected: Sequence[Document], taken: Sequence[Encoded]) -> Iterator[Document]:
        """Documents whose ``_id`` a record of the topic's former life has: their own ``_id`` gets the time as well."""
        own = {document["_id"]: document for document in rejected}
        for known in self._stored(REJECTED, [encoded.id for encoded in taken]):
            document = own[known["_id"]]
            if not _same_record(known, document):
                moment = document["enqueued_at"].isoformat(timespec="milliseconds")
                yield document | {"_id": f"{document['_id']}@{moment}"}

    def _replace_recent(self, recent: Mapping[str, Transaction], now: datetime) -> Written:
        ring = [Encoded.of(transaction.document | {"_id": slot}) for slot, transaction in recent.items()]
        refused = upsert_all(self._db[RECENT], ring, self._limits, self._patience)
        if refused:
            # The embedded store takes names with dots in new documents, and refuses them in replacements.
            slots = {"_id": {"$in": [refusal.document.id for refusal in refused]}}
            patiently(partial(self._db[RECENT].delete_many, slots), self._limits, self._patience)
            refused = self._insert(RECENT, [refusal.document for refusal in refused]).refused
        rejected = [recent[slot.document.id].set_aside(f"{RECENT}: {slot.reason}", now) for slot in refused]
        self.reject(rejected)
        return Written(0, 0, len(rejected))

    def _stored(self, collection: str, ids: Sequence[Any]) -> Iterator[Document]:
        for start in range(0, len(ids), MOST_OPERATIONS):
            chosen = {"_id": {"$in": list(ids[start : start + MOST_OPERATIONS])}}
            yield from read_all(self._db[collection].find(chosen), self._limits, self._patience)

    def _insert(self, collection: str, documents: Iterable[Encoded]) -> Outcome:
        return insert_new(self._db[collection], list(documents), self._limits, self._patience)

    def prune_alerts(self) -> None:
        """Delete the oldest of the alerts that are too many. Raises as :meth:`write` does."""
        self._patience = Patience(self._limits)
        alerts = self._db[ALERTS]
        surplus = patiently(alerts.estimated_document_count, self._limits, self._patience) - ALERTS_KEPT
        if surplus < _PRUNE_SURPLUS:
            return
        kept = alerts.find({}, {"enqueued_at": 1}).sort("enqueued_at", DESCENDING).skip(ALERTS_KEPT - 1).limit(1)
        for oldest in read_all(kept, self._limits, self._patience):
            if not isinstance(oldest.get("enqueued_at"), datetime):
                # Another program wrote it. Alerts with a time sort as newer, and none of them is too many.
                continue
            # Alerts of the same moment as the oldest that is kept stay too: nothing says which of them are too many.
            surplus_ones = {"enqueued_at": {"$lt": oldest["enqueued_at"]}}
            patiently(partial(alerts.delete_many, surplus_ones), self._limits, self._patience)


def require_taken(refused: Sequence[Refused]) -> None:
    """Raises :class:`StoreUnavailable` where the store refused documents of `rejected`.

    They are cut so that every store takes them; the job cannot go on with a store that refuses them.
    """
    if refused:
        raise StoreUnavailable(
            f"The document store refuses documents of {REJECTED}, the first of them {refused[0].document.id} "
            f"({refused[0].reason}). The batch is tried again; look at the collection's validation rules."
        )


def _same_record(known: Document, document: Document) -> bool:
    """Whether both come from one record: a topic that is created again has the same offsets, but other times."""
    return bool(
        known.get("source") == document["source"]
        and _milliseconds(known.get("enqueued_at")) == _milliseconds(document["enqueued_at"])
    )


def _milliseconds(moment: Any) -> int | None:
    """Milliseconds since 1970, which is how precisely documents hold a time."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) if isinstance(moment, datetime) else None


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) >= CHUNK or size + len(record.value) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record.value)
    if chunk:
        yield chunk


def _documents(records: Iterable[Record], now: datetime, aside: Aside) -> dict[Any, Transaction]:
    """The transactions by id; ``aside`` gets all other records."""
    transactions: dict[Any, Transaction] = {}
    for record in records:
        transaction = document(record, now)
        if is_verdict(transaction):
            aside.verdicts.append((transaction, record))
            continue
        if not is_transaction(transaction):
            aside.rejected.append(transaction)
            if record.topic == SCORED:
                # The rollups check less of a decision, and may have counted it.
                aside.uncounted.append(record)
            continue
        encoded = _encoded(transaction)
        if isinstance(encoded, str):
            aside.add(transaction, record, encoded, now)
            continue
        new = Transaction(transaction, encoded, record, (record.partition, record.offset))
        first = transactions.setdefault(transaction["_id"], new)
        if first is new:
            continue
        if not _same_record(first.document, transaction):
            aside.add_second(transaction, record, first.document, now)
        else:
            # Of a record that came twice the later place: its slot of `recent` lives longer.
            transactions[transaction["_id"]] = first._replace(at=new.at)
            aside.add_later(transaction, record, first.document)
    return transactions


def _keep_newest(recent: dict[str, Transaction], transactions: Iterable[Transaction]) -> None:
    """Keep the newest scored transaction for each slot of ``recent``, which has a ring of slots for each partition."""
    for transaction in transactions:
        if transaction.document["origin"] != LIVE:
            continue
        partition, offset = transaction.at
        slot = f"{partition}-{offset % RECENT_SLOTS}"
        if slot not in recent or recent[slot].at[1] < offset:
            recent[slot] = transaction


def _encoded(transaction: Document) -> Encoded | str:
    """The document as BSON, or the reason why no store takes it."""
    try:
        encoded = Encoded.of(transaction)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if encoded.size > MOST_DOCUMENT_BYTES:
        return f"a document of {encoded.size} bytes, more than the {MOST_DOCUMENT_BYTES} that all stores take"
    return encoded
