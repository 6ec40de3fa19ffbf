"""What is wrong with a query file, or stopped its run: where it stands, and what to write instead.

FraudstreamError
└── QueryError              the text, or what it asks for, is not in the language
    └── QueryStopped            a record made the running query stop, as it stops in Azure
"""

from __future__ import annotations

from fraudstream.core.errors import FraudstreamError

DEFAULT_FILE = "query"


class QueryError(FraudstreamError):
    """The text of a query, or what it asks for, is not in the language.

    The message is ``file:line:column: what is wrong. What to write instead.`` Lines and columns count from 1, columns
    in characters. :attr:`reason` is the message without the place.
    """

    def __init__(self, reason: str, line: int, column: int, file: str = DEFAULT_FILE) -> None:
        super().__init__(f"{file}:{line}:{column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column
        self.file = file


class QueryStopped(QueryError):
    """An expression failed on a record (a CAST, a wrong type of argument, a function), so the query stopped."""
