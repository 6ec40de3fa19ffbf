"""The outcome of a record that is sent otherwise than by Kafka's own producer, with that one's words and errors."""

from __future__ import annotations

import threading

from kafka.errors import KafkaError, KafkaTimeoutError


class Outcome:
    """Pending, acknowledged, or failed: what :class:`fraudstream.generator.publish.Delivery` asks for."""

    __slots__ = ("_done", "_failure")

    def __init__(self) -> None:
        self._done = threading.Event()
        self._failure: KafkaError | None = None

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def get(self, timeout: float | None = None) -> None:
        """Wait for the acknowledgement; raises what the record failed with, a ``KafkaError``."""
        if not self._done.wait(timeout):
            raise KafkaTimeoutError("no acknowledgement in time")
        if self._failure is not None:
            raise self._failure

    def settle(self, failure: KafkaError | None = None) -> None:
        """The record has this outcome."""
        self._failure = failure
        self._done.set()
