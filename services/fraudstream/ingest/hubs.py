"""Which hubs there are: topics of the broker that may be sent to, looked up when they are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import UnavailableError
from fraudstream.core.kafka.broker import asking
from fraudstream.ingest.refusal import Refusal

# A topic that is made, or gets more partitions, is seen after this time.
_ASKED_SECONDS = 2.0
_CONNECT_MS = 5_000

log = structlog.get_logger(__name__)


def partitions_in(settings: Settings, topic: str) -> frozenset[int]:
    """The topic's partitions, none where it is not there. Raises :class:`BrokerUnavailable`."""
    with asking(settings, allow_auto_create_topics=False, bootstrap_timeout_ms=_CONNECT_MS) as reader:
        return frozenset(reader.partitions_for_topic(topic) or ())


class Hubs:
    """The hubs of the namespace, whose topics are looked up once, until the broker says that one is gone.

    ``lookup`` gives a topic's partitions; it is called in the thread that calls :meth:`find`.
    """

    def __init__(
        self,
        open_hubs: Collection[str],
        lookup: Callable[[str], frozenset[int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics = {name.lower(): name for name in open_hubs}
        self._lookup = lookup
        self._clock = clock
        self._seen: dict[str, tuple[float, frozenset[int]]] = {}
        self._away_at = float("-inf")
        self._one_at_a_time = threading.Lock()

    @property
    def open(self) -> Collection[str]:
        """The topics that may be sent to, whether or not they are there."""
        return self._topics.values()

    def topic(self, hub: str) -> str:
        """The topic of a hub, whose name is told apart without regard to case, as in the service.

        Raises :class:`Refusal` (403) for a hub that takes no events from outside, whether or not there is one: whoever
        may send here learns nothing about the others.
        """
        topic = self._topics.get(hub.lower())
        if topic is None:
            raise Refusal(403, "MessagingEntityDisabled: this hub takes no events over HTTP.")
        return topic

    def known(self, topic: str) -> frozenset[int]:
        """The topic's partitions, as far as they are known without asking."""
        return self._seen.get(topic, (0.0, frozenset[int]()))[1]

    def find(self, topic: str) -> frozenset[int]:
        """The topic's partitions, asked anew unless that was done just now; none where it is not there.

        Raises :class:`Refusal` (503) where the broker does not answer.
        """
        with self._one_at_a_time:
            moment, partitions = self._seen.get(topic, (float("-inf"), frozenset[int]()))
            if self._clock() - moment < _ASKED_SECONDS:
                return partitions
            # Those who waited while somebody asked get the same answer at once.
            if self._clock() - self._away_at < _ASKED_SECONDS:
                raise _away()
            return self._ask(topic)

    def forget(self, topic: str) -> None:
        """Look it up again at the next request."""
        self._seen.pop(topic, None)

    def _ask(self, topic: str) -> frozenset[int]:
        try:
            partitions = self._lookup(topic)
        except UnavailableError as error:
            log.warning("hub_not_looked_up", hub=topic, reason=str(error))
            self._away_at = self._clock()
            raise _away() from None
        self._seen[topic] = (self._clock(), partitions)
        return partitions


def _away() -> Refusal:
    return Refusal(503, "ServerBusy: the broker does not answer.", retry_after=2)
