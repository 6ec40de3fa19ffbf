"""Why a request is not taken, as Event Hubs says it: a status, and an XML body with a code and a detail."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from starlette.responses import Response

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import printable

XML = "application/xml; charset=utf-8"
_LONGEST_PLACE = 300


class Refusal(FraudstreamError):
    """A request is not taken. The message starts with the service's own word for it, such as ``ExpiredToken:``.

    ``retry_after``: seconds after which to try again, None where that would not help. ``closes``: the rest of the body
    stays unread, so that nothing can follow on the connection.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None, closes: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.closes = closes

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "SharedAccessSignature, Bearer"
        return headers | ({"Connection": "close"} if self.closes else {})


def answer(refusal: Refusal, host: str, path: str) -> Response:
    """The service's answer: ``<Error><Code>…</Code><Detail>…</Detail></Error>``."""
    return error_response(refusal.status, str(refusal), f"{host}:{path.lstrip('/')}", refusal.headers)


def error_response(status: int, message: str, place: str, headers: Mapping[str, str]) -> Response:
    """An error's body, with an id under which the log has it, the place that was asked for, and the time (UTC)."""
    tracking = f"TrackingId:{uuid.uuid4()}_G0"
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    detail = f"{message} {tracking}, SystemTracker:{printable(place, _LONGEST_PLACE)}, Timestamp:{moment}"
    text = f"<Error><Code>{status}</Code><Detail>{escape(detail)}</Detail></Error>"
    return Response(text.encode("utf-8", "replace"), status, dict(headers), XML)
