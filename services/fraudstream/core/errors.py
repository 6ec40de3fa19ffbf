"""The project's error tree. Catch :class:`FraudstreamError` to catch them all.

FraudstreamError
├── ConfigurationError      a setting is missing, unusable, or contradicts another
├── EventError              a transaction breaks the event contract
├── UnavailableError        a part we depend on does not answer
│   ├── BrokerUnavailable       Kafka
│   ├── StoreUnavailable        the document store
│   ├── ScoringUnavailable      the scoring service
│   └── RegistryUnavailable     the MLflow registry
├── BrokerRefused           Kafka answers, and does not take or give the records asked of it
├── RegistryRefused         MLflow answers, and does not do what was asked of it
├── TrainingFailed          an algorithm could not be trained, for a cause beyond the history and the registry
├── CheckpointMisfit        a checkpoint and its topics no longer fit each other
├── ModelError              no champion, or a model that cannot be used
├── ScoringRejected         the scoring service refused the rows of a request
├── ArtifactError           a pinned artifact cannot be fetched or has the wrong checksum
└── RuntimePartError        a supervised part cannot be started, or died
    ├── PortTaken
    ├── AlreadyRunning
    └── JavaMissing
"""

from __future__ import annotations

from fraudstream.core.output.redaction import redact


class FraudstreamError(Exception):
    """What happened, with which value, and what to do about it.

    The command line prints the message as one line and ends with :attr:`exit_status`::

        try:
            ...
        except FraudstreamError as error:
            print(error)

    The message holds none of the process's secrets, whatever client's text it repeats.
    """

    exit_status = 1

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(redact(argument) if isinstance(argument, str) else argument for argument in arguments))


class ConfigurationError(FraudstreamError):
    """A setting is missing, unusable, or contradicts another one."""

    exit_status = 2


class EventError(FraudstreamError):
    """A transaction breaks the event contract; the message starts with the name in ``field``, `value` for the whole."""

    def __init__(self, message: str, field: str = "value") -> None:
        super().__init__(message)
        self.field = field


class UnavailableError(FraudstreamError):
    """A part we depend on does not answer; trying again later may succeed."""


class BrokerUnavailable(UnavailableError):
    """Kafka does not answer."""


class StoreUnavailable(UnavailableError):
    """The document store does not answer."""


class ScoringUnavailable(UnavailableError):
    """The scoring service does not answer, or answers that it cannot score now."""


class RegistryUnavailable(UnavailableError):
    """The MLflow tracking server and registry do not answer."""


class BrokerRefused(FraudstreamError):
    """Kafka answers, and does not take or give the records asked of it; trying again will not help."""


class RegistryRefused(FraudstreamError):
    """MLflow answers, and does not do what was asked of it: a sign-in, a name or a version that it does not take."""


class TrainingFailed(FraudstreamError):
    """An algorithm could not be trained, for a cause beyond the history and the registry."""


class CheckpointMisfit(FraudstreamError):
    """A streaming query's checkpoint cannot be read, or its topics no longer hold what it would read next."""


class ModelError(FraudstreamError):
    """There is no champion, or a registered model cannot be used."""


class ScoringRejected(FraudstreamError):
    """The scoring service understood the request and refused its rows."""


class ArtifactError(FraudstreamError):
    """A pinned artifact cannot be fetched, or its checksum is wrong."""


class RuntimePartError(FraudstreamError):
    """A supervised part cannot be started, or died before it was ready."""


class PortTaken(RuntimePartError):
    """Another process listens on a port that a part needs."""


class AlreadyRunning(RuntimePartError):
    """Another supervisor holds the data folder."""


class JavaMissing(RuntimePartError):
    """No Java of a usable version was found, nor the wheel that brings one."""
