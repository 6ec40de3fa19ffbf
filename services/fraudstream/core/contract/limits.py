"""What a document may hold: one table of the stores' limits, and the least of them, which is in force everywhere.

An event is stored by every supported store or by none: what one of them refuses is refused before it is scored.
:data:`LIMITS` has each store's value with its source; the constants below it are what is in force. None of them
depends on the profile.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, get_args

Store = Literal["embedded", "mongodb", "cosmos", "documentdb"]

_MIB = 1024 * 1024
_MONGODB = "MongoDB manual, limits and thresholds"
_COSMOS = "azure-databases-docs, cosmos-db/concepts-limits.md"
_DOCUMENTDB = "azure-databases-docs, documentdb/max-document-size.md"
_BSON = "bsonspec.org, version 1.1"
_MEASURED = "measured on mongo-java-server 1.47.0"


@dataclass(frozen=True, slots=True)
class Bound:
    """One store's value of a limit; ``most`` is None where the store has no such limit."""

    most: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of documents with its value in every store."""

    name: str
    unit: str
    embedded: Bound
    mongodb: Bound
    cosmos: Bound
    documentdb: Bound

    @property
    def in_force(self) -> int:
        """The least of the stores' values."""
        bounds = (self.embedded, self.mongodb, self.cosmos, self.documentdb)
        return min(bound.most for bound in bounds if bound.most is not None)


NESTING = Limit(
    "nesting",
    "objects and arrays inside each other, the document itself included",
    embedded=Bound(200, f"{_MEASURED}: 250 work, the stack of a request ends before 900"),
    mongodb=Bound(100, f"{_MONGODB}: nested depth for BSON documents"),
    cosmos=Bound(128, f"{_COSMOS}: maximum level of nesting for embedded objects and arrays"),
    documentdb=Bound(None, f"{_DOCUMENTDB}: no fixed depth"),
)
DOCUMENT = Limit(
    "document",
    "bytes of BSON",
    embedded=Bound(16 * _MIB, f"{_MEASURED}: 10 MB work, 17 MB end the connection"),
    mongodb=Bound(16 * _MIB, f"{_MONGODB}: BSON document size"),
    # The page says "2 MB" and not which ones: the smaller ones.
    cosmos=Bound(2_000_000, f"{_COSMOS}: maximum size of an item"),
    documentdb=Bound(16 * _MIB, f"{_DOCUMENTDB}: maximum document size"),
)
REQUEST = Limit(
    "request",
    "bytes",
    embedded=Bound(48_000_000, f"{_MEASURED}: its answer to `hello`, maxMessageSizeBytes"),
    mongodb=Bound(48_000_000, "MongoDB manual, hello: maxMessageSizeBytes"),
    cosmos=Bound(2_000_000, f"{_COSMOS}: maximum request size"),
    documentdb=Bound(48_000_000, "its answer to `hello`, maxMessageSizeBytes"),
)
INTEGER = Limit(
    "integer",
    "bits, sign included",
    embedded=Bound(64, _BSON),
    mongodb=Bound(64, _BSON),
    cosmos=Bound(64, _BSON),
    documentdb=Bound(64, _BSON),
)
DECIMAL = Limit(
    "decimal",
    "digits of a Decimal128",
    embedded=Bound(34, f"{_MEASURED}: written and read back"),
    mongodb=Bound(34, _BSON),
    cosmos=Bound(34, "azure-databases-docs, cosmos-db/mongodb/feature-support-42.md: data types, Decimal128"),
    documentdb=Bound(34, _BSON),
)
LIMITS: tuple[Limit, ...] = (NESTING, DOCUMENT, REQUEST, INTEGER, DECIMAL)


@dataclass(frozen=True, slots=True)
class NameRule:
    """Names of fields that at least one store does not keep: and who says so."""

    text: str
    where: Literal["start", "anywhere"]
    sources: dict[Store, str]


# Dots and empty names are kept as they are: by MongoDB since 3.6, and by the embedded store, which only does not put a
# document with a dot in its own names in the place of another (measured); the writer inserts such a one anew.
NAME_RULES: tuple[NameRule, ...] = (
    NameRule(
        "$",
        "start",
        {
            "embedded": f"{_MEASURED}: a replacement with such a name is an `illegal update`",
            "mongodb": "code 52, DollarPrefixedFieldName: at the top of a replacement, until 4.4 at every level",
            "cosmos": "`The dollar ($) prefixed field … is not valid for storage`, at all levels (Cezerin2/Server 176)",
        },
    ),
    NameRule("\0", "anywhere", dict.fromkeys(get_args(Store), f"{_BSON}: names end at the first NUL")),
)

MOST_NESTING = NESTING.in_force
MOST_DOCUMENT_BYTES = DOCUMENT.in_force
MOST_REQUEST_BYTES = REQUEST.in_force
MOST_DECIMAL_DIGITS = DECIMAL.in_force
LEAST_INTEGER, MOST_INTEGER = -(2 ** (INTEGER.in_force - 1)), 2 ** (INTEGER.in_force - 1) - 1

# No store counts fields. Pages and exported tables have a column for each, which browsers and Parquet do not bear
# without end.
MOST_FIELDS = 10_000

# What a document of `transactions` has beside its event's own fields: `_id`, the decision with its three reasons, the
# source and times; and what a request has beside its one document. Both are a fraction of it.
OWN_BYTES = 4_096
MOST_EVENT_DOCUMENT_BYTES = min(MOST_DOCUMENT_BYTES, MOST_REQUEST_BYTES) - 2 * OWN_BYTES

# Rejected values are kept whole up to the first size and cut to the second beyond it: the record itself stays in its
# topic, and a record of `rejected` and its document must stay far below what topics and stores take.
WHOLE_RAW_BYTES = 256 * 1024
CUT_RAW_BYTES = 64 * 1024
# A sender's key is kept whole up to this size; of a longer one, and of one that is no text, the first bytes.
WHOLE_KEY_BYTES = 1024
SHOWN_REASON_CHARACTERS = 500

# The model computes in single precision (IEEE 754 binary32); no number of amounts of this size overflows the sum, which
# is a double.
LARGEST_SINGLE: float = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]

# The exponents of a Decimal128's first digit at which no digit of its 34 is lost (BSON, IEEE 754 decimal128).
DECIMAL_EXPONENTS = (-6_143, 6_144)


def name_problem(name: str) -> str | None:
    """Why no field may have this name, or None."""
    if name.startswith("$"):
        return "a name that starts with $, which stores take for an operator"
    if "\0" in name:
        return "a name with the character NUL, at which names end in BSON"
    return None
