"""The rules of Cosmos DB for MongoDB (RU). Codes are those of the service's error page where it has them.

MongoDB itself uses codes 15952 and 168 for unknown operators, 15 and 52 for depth and names. Public reports show 16
for large documents.
"""

from __future__ import annotations

from fraudstream.cloud.rules.rule import Rule, numbering

_DOCS = "https://learn.microsoft.com/azure/cosmos-db/mongodb/"
_CONNECT = f"{_DOCS}connect-account"
_FEATURES = f"{_DOCS}feature-support-42 (08/2025), feature-support-70 (07/2024)"
_INDEXING = f"{_DOCS}indexing"
_ERRORS = f"{_DOCS}error-codes-solutions"
_LIMITS = "https://learn.microsoft.com/azure/cosmos-db/concepts-limits"

_rule = numbering("CO", "cosmos db")

RULES: tuple[Rule, ...] = (
    _rule(1, "no retryable writes", "retrywrites=false in FRAUDSTREAM_MONGO_URI", _FEATURES, "2 BadValue"),
    _rule(2, "the connection is TLS", "ssl=true in FRAUDSTREAM_MONGO_URI", _CONNECT, "closes"),
    _rule(
        3,
        "the port is 10255 on <account>.mongo.cosmos.azure.com",
        "add :10255 to the host",
        _CONNECT,
        "nothing listens",
    ),
    _rule(
        4,
        "the key is whole and percent-encoded (88 characters of base64)",
        "copy the key again and percent-encode it",
        _CONNECT,
        "18 AuthenticationFailed",
    ),
    _rule(
        5, "the user is the account's name", "mongodb://<account>:<key>@<account>…", _CONNECT, "18 AuthenticationFailed"
    ),
    _rule(
        6,
        "clients end idle connections before Azure does: maxIdleTimeMS < 240000",
        "maxIdleTimeMS=120000 in FRAUDSTREAM_MONGO_URI",
        _CONNECT,
        "closes after 240 s",
    ),
    _rule(7, "appName is @<account>@", "appName=@<account>@ in FRAUDSTREAM_MONGO_URI", _CONNECT, "closes"),
    _rule(8, "pipelines have supported stages only", "rewrite the pipeline", _FEATURES, "40324 unknown stage"),
    _rule(
        9,
        "expressions have supported operators only",
        "compute the value when it is written",
        _FEATURES,
        "168 InvalidPipelineOperator",
    ),
    _rule(
        10,
        "$group has supported accumulators only",
        "use sum, avg, min, max, first, last, push, addToSet",
        _FEATURES,
        "15952",
    ),
    _rule(11, "filters have supported operators only", "rewrite the filter", _FEATURES, "2 BadValue"),
    _rule(
        12, "$lookup has neither let nor pipeline", "join by localField and foreignField", _FEATURES, "9 FailedToParse"
    ),
    _rule(13, "commands are supported", "do without the command", _FEATURES, "115 CommandNotSupported"),
    _rule(
        14,
        "a sort has an index on its field",
        "add the field to the collection in core.documents.client",
        _INDEXING,
        "2 BadValue",
    ),
    _rule(
        15,
        "a sort by several fields has a compound index of exactly these fields",
        "add the compound index in core.documents.client",
        _INDEXING,
        "2 BadValue",
    ),
    _rule(
        16,
        "a document has at most 2 MB",
        "cut raw values; see stream.transformations",
        _LIMITS,
        "16 RequestEntityTooLarge",
    ),
    _rule(
        17,
        "a request has at most 2 MB",
        "FRAUDSTREAM_MONGO_MAX_REQUEST_BYTES=1900000",
        _LIMITS,
        "16 RequestEntityTooLarge",
    ),
    _rule(18, "findAndModify sorts by one field only", "sort by one field", _FEATURES, "2 BadValue"),
    _rule(
        19,
        "indexes are of a supported kind (no text, hashed, 2d, sparse)",
        "an ordinary index",
        _INDEXING,
        "67 CannotCreateIndex",
    ),
    _rule(
        20,
        "a unique index is made on an empty collection and starts with the shard key",
        "create it before the first document, shard key first",
        _INDEXING,
        "67 CannotCreateIndex",
    ),
    _rule(21, "a compound index has at most 8 fields", "fewer fields", _INDEXING, "67 CannotCreateIndex"),
    _rule(22, "every document has the collection's shard key", "write the shard key", _ERRORS, "61 ShardKeyNotFound"),
    _rule(23, "_id and shard key never change", "write a new document", _ERRORS, "66 ImmutableField"),
    _rule(24, "no transactions on sharded collections", "idempotent writes", _FEATURES, "115 CommandNotSupported"),
    _rule(
        25,
        "TTL counts from _ts",
        "ttl_days of the collection in core.documents.client",
        f"{_DOCS}time-to-live",
        "67 CannotCreateIndex",
    ),
    _rule(
        26,
        "writes wait for request units (16500, RetryAfterMs)",
        "write through core.documents.throttling",
        f"{_DOCS}prevent-rate-limiting-errors",
        "16500 TooManyRequests",
    ),
    _rule(
        28,
        "objects and arrays stand inside each other 128 deep at most",
        "core.contract.limits.MOST_NESTING; events beyond it are rejected before they are scored",
        _LIMITS,
        "15 Overflow",
    ),
    _rule(
        29,
        "no field's name begins with $ or holds a zero byte",
        "core.contract.limits.name_problem; events with such a name are rejected before they are scored",
        "https://github.com/Cezerin2/Server/issues/176",
        "52 DollarPrefixedFieldName",
    ),
    _rule(30, "a shard key's value has at most 2,048 bytes", "a shorter _id", _LIMITS, "2 BadValue"),
    _rule(31, "a collection has at most 500 indexes", "fewer indexes in core.documents.client", _INDEXING),
    _rule(
        27,
        "a bulk write has at most 1,000 operations and is unordered",
        "write through core.documents.throttling",
        f"{_DOCS}optimize-write-performance",
        "",
        "warning",
    ),
)
