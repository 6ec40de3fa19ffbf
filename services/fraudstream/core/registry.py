"""The registered model: which version is the champion, and a follower of promotions.

The champion is the version tagged ``role=champion``: Azure ML's registry documents tags but no aliases. MLflow is
imported when the first call needs it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, mask_uri
from fraudstream.core.contract.event import plain_inputs
from fraudstream.core.errors import (
    ConfigurationError,
    FraudstreamError,
    ModelError,
    RegistryRefused,
    RegistryUnavailable,
)
from fraudstream.core.output.redaction import redact
from fraudstream.core.output.text import error_text, printable
from fraudstream.core.plain_model import PlainModel, misfit, threshold_of

if TYPE_CHECKING:
    import numpy as np
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ROLE_TAG = "role"
CHAMPION = "champion"
CHALLENGER = "challenger"

# MLflow's codes (databricks.proto) for a question that it understood and does not do; others may pass.
_REFUSALS = frozenset(
    {
        "BAD_REQUEST",
        "ENDPOINT_NOT_FOUND",
        "FEATURE_DISABLED",
        "INVALID_PARAMETER_VALUE",
        "INVALID_STATE",
        "NOT_FOUND",
        "NOT_IMPLEMENTED",
        "PERMISSION_DENIED",
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_DOES_NOT_EXIST",
        "UNAUTHENTICATED",
    }
)

_LONGEST_REASON = 200

# A look under way may take as long as MLflow's own time limits; a shutdown does not wait for that.
_STOP_SECONDS = 1.0


class FraudModel(Protocol):
    """What a registered model offers beside MLflow's ``predict``: scoring by columns, without pandas."""

    threshold: float

    def score_columns(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Probability of fraud for each row, float64, shape (n,). ``columns``: feature → n values."""
        ...

    def explain_columns(self, columns: Mapping[str, Sequence[Any]], top: int = 3) -> list[list[dict[str, Any]]]:
        """For each row its ``top`` fields that raise the score: ``[{"field": …, "contribution": log-odds}]``."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A champion in memory; ``version`` is the registry's version number as text."""

    version: str
    model: FraudModel
    metrics: Mapping[str, float]


def registry_client(settings: Settings) -> MlflowClient:
    """An MLflow client that fails within seconds instead of minutes when the server is away.

    Raises :class:`ConfigurationError` for an address that MLflow cannot open, and without one: MLflow would quietly
    open a registry in the working folder. Raises :class:`RegistryUnavailable` where a client is not even made without
    the server.
    """
    if not settings.mlflow_tracking_uri:
        raise ConfigurationError(f"{ENV_PREFIX}MLFLOW_TRACKING_URI is empty. Set it to the MLflow server's address.")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    # Its bars on stderr would stand between a command's own lines.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        mlflow.set_tracking_uri(settings.mlflow_tracking_uri)
        mlflow.set_registry_uri(settings.mlflow_tracking_uri)
        return mlflow.MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    except (MlflowException, ImportError) as error:
        # Nobody has been asked yet: there is no store for such an address, or its driver or plugin is not installed.
        raise ConfigurationError(
            f"{ENV_PREFIX}MLFLOW_TRACKING_URI is {mask_uri(settings.mlflow_tracking_uri)!r}, which MLflow cannot open "
            f"({_told(settings, error)}). Set it to the MLflow server's address, http://host:port, or install what the "
            "address needs: azureml:// needs azureml-mlflow, a database the extra `registry` and its driver."
        ) from error
    except Exception as error:
        raise registry_error(settings, error) from error


def champion_version(settings: Settings, client: MlflowClient | None = None) -> str | None:
    """The champion's version number, or ``None`` before the first promotion.

    With two versions tagged (a promotion under way) the newer one counts. Raises :class:`RegistryUnavailable`, and
    :class:`RegistryRefused`.
    """
    champions = [str(model.version) for model in model_versions(settings, client) if role_of(model.tags) == CHAMPION]
    return max(champions, key=version_order) if champions else None


def model_versions(settings: Settings, client: MlflowClient | None = None) -> list[ModelVersion]:
    """All versions of the registered model, which a registry gives page by page. Raises as :func:`champion_version`."""
    from mlflow.exceptions import MlflowException

    client = client or registry_client(settings)
    versions: list[ModelVersion] = []
    token: str | None = None
    try:
        while True:
            page = client.search_model_versions(f"name='{settings.model_name}'", page_token=token)
            versions += page
            before, token = token, getattr(page, "token", None)
            # A server that knows no pages gives the first one again.
            if not token or token == before:
                return versions
    except MlflowException as error:
        raise registry_error(settings, error) from error


def role_of(tags: Mapping[str, str]) -> str:
    """A version's role, as somebody may have typed the tag by hand: ``Champion `` is the champion."""
    roles = [str(value) for name, value in tags.items() if name.strip().casefold() == ROLE_TAG]
    return roles[0].strip().casefold() if roles else CHALLENGER


def version_order(version: str) -> tuple[int, str]:
    """Sorts versions from old to new: by number, and before them those that somebody else gave a name."""
    return (int(version), "") if version.isdecimal() else (-1, version)


def registry_error(settings: Settings, error: Exception) -> RegistryUnavailable | RegistryRefused:
    """The error to raise for MLflow's: it does not answer, or it answers that it does not do what was asked."""
    address = settings.mlflow_tracking_uri
    reason = _told(settings, error)
    if getattr(error, "error_code", None) in _REFUSALS:
        return RegistryRefused(
            f"MLflow at {mask_uri(address)} refuses it ({reason}). "
            f"Look at {ENV_PREFIX}MODEL_NAME ({settings.model_name!r}), the sign-in, and `fraudstream models list`."
        )
    return RegistryUnavailable(
        f"MLflow at {mask_uri(address)} does not answer ({reason}). "
        "Start it with `fraudstream up -d`, or set FRAUDSTREAM_MLFLOW_TRACKING_URI."
    )


def _told(settings: Settings, error: Exception) -> str:
    """MLflow's own text, in one line and without our secrets, the address's password among them."""
    address = settings.mlflow_tracking_uri
    return printable(" ".join(redact(str(error).replace(address, mask_uri(address))).split()), _LONGEST_REASON)


def load_version(settings: Settings, version: str) -> LoadedModel:
    """Load a registered version. Raises :class:`ModelError` where it does not fit the project, or cannot score."""
    import mlflow
    from mlflow.exceptions import MlflowException

    client = registry_client(settings)
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/{settings.model_name}/{version}")
        own = _own_model(loaded)
        registered = client.get_model_version(settings.model_name, version)
    except Exception as error:
        raise ModelError(
            f"Version {version} of the registered model {settings.model_name!r} cannot be loaded "
            f"({error_text(error)}). Train and promote another: `fraudstream train`."
        ) from error
    try:
        metrics = run_metrics(client, registered.run_id or "")
    except MlflowException as error:
        raise registry_error(settings, error) from error
    problem = "" if own is not None else misfit(loaded.metadata.signature)
    if not problem:
        try:
            model = own if own is not None else PlainModel(loaded, threshold_of(registered.tags, metrics))
            problem = _problem(model)
        except ModelError as error:
            problem = str(error)
    if problem:
        raise ModelError(
            f"Version {version} of {settings.model_name!r} cannot score ({problem.rstrip('.')}). "
            "Promote another version: `fraudstream models promote`."
        )
    return LoadedModel(version, model, metrics)


def _own_model(loaded: Any) -> FraudModel | None:
    """The model that scores by columns, as `fraudstream train` logs it; None for any other one."""
    from mlflow.exceptions import MlflowException

    try:
        model = loaded.unwrap_python_model()
    except MlflowException:
        # Its flavor is not a class in Python.
        return None
    own: FraudModel | None = model if hasattr(model, "score_columns") else None
    return own


def run_metrics(client: MlflowClient, run_id: str) -> dict[str, float]:
    """The metrics of a training run; none where the run is gone, which takes nothing from the model."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_run(run_id).data.metrics) if run_id else {}
    except MlflowException as error:
        if error.error_code not in _REFUSALS:
            raise
        return {}


def _problem(model: FraudModel) -> str:
    """What keeps a model from scoring an ordinary transaction; empty where nothing does."""
    row = {name: [plain] for name, plain in plain_inputs().items()}
    try:
        score, threshold = float(model.score_columns(row)[0]), float(model.threshold)
    except Exception as error:
        return error_text(error)
    if not 0 <= score <= 1:
        return f"it gives the score {score}"
    return "" if 0 <= threshold <= 1 else f"its threshold is {threshold}"


@dataclass(frozen=True, slots=True)
class Missed:
    """Why a look brought no champion into use; ``error`` is None while no version is tagged as the champion.

    ``is_news``: the look before did not miss for the same cause.
    """

    error: Exception | None
    is_news: bool


class ChampionFollower:
    """Looks for the champion every ``champion_poll_seconds``, and hands each new version to ``take_up``.

    ``take_up`` returns once the version is in use; where it raises, the version in use stays, and the next look tries
    again. ``report`` hears after each look why it missed, or None. Both are called in the thread that looks, which
    outlives whatever MLflow raises. ``version`` is the one in use, None before the first; ``stop`` ends the thread.
    """

    def __init__(
        self,
        settings: Settings,
        take_up: Callable[[str], None],
        report: Callable[[Missed | None], None],
        version: str | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._settings = settings
        self._take_up = take_up
        self._report = report
        self._stop = stop or threading.Event()
        self._thread = threading.Thread(target=self._follow, name="champion-follower", daemon=True)
        self._client: MlflowClient | None = None
        self._cause: str | None = None
        self.version = version

    def start(self) -> None:
        """Look in a thread from here on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, after a second at the latest."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)

    def look(self) -> None:
        """Look once; raises nothing."""
        try:
            if self._client is None:
                self._client = registry_client(self._settings)
            champion = champion_version(self._settings, self._client)
            if champion is not None and champion != self.version:
                self._take_up(champion)
                self.version = champion
        except Exception as error:  # the thread is the only one that looks: it has to outlive whatever MLflow raises
            self._miss(error)
        else:
            if champion is None:
                self._miss(None)
            else:
                self._cause = None
                self._report(None)

    def _miss(self, error: Exception | None) -> None:
        # The text of a connection error holds an object's address and changes at each attempt, as may any text of
        # an error that nobody has foreseen.
        own_text = isinstance(error, FraudstreamError | OSError) and not isinstance(error, RegistryUnavailable)
        cause = str(error) if own_text else type(error).__name__
        is_news, self._cause = cause != self._cause, cause
        self._report(Missed(error, is_news))

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._settings.champion_poll_seconds)
