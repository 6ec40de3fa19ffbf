"""One look at the newest scored transactions: drift since the champion's training, and how good its decisions were."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mlflow.exceptions import MlflowException

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import champion_version, load_version, registry_client
from fraudstream.ml.evaluation.held_out import Rows
from fraudstream.ml.evaluation.ranking import Ranking
from fraudstream.ml.evaluation.scoring import scores_of
from fraudstream.ml.features import EVENT_TIME, matrix, moment_text
from fraudstream.ml.history import checked, read_history
from fraudstream.ml.monitoring import FALSE_ALARMS, LEAST_ROWS, NEWEST
from fraudstream.ml.monitoring.drift import Drift, Window, check
from fraudstream.ml.monitoring.reference import REFERENCE_FILE, Reference
from fraudstream.ml.monitoring.scored import Scored, read_newest
from fraudstream.ml.registry import registered_version

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of the champion's newest transactions at a moment (UTC)."""

    model: str
    version: str
    seen_at: datetime
    reference: str
    scored: Scored
    drift: Drift

    @property
    def own(self) -> np.ndarray:
        """Which rows the champion scored, and no version before it."""
        return self.scored.of_version(self.version)

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object; ``estimated`` is what calibrated scores promise, ``known`` what labels say."""
        moments = self.scored.rows[EVENT_TIME].to_numpy()
        own = self.own
        return {
            "model": self.model,
            "version": self.version,
            "seen_at": self.seen_at.isoformat(timespec="milliseconds"),
            "reference": self.reference,
            "rows": len(moments),
            "left_out": self.scored.left_out.count,
            "from": moment_text(int(moments.min())),
            "until": moment_text(int(moments.max())),
            "scored_by_version": int(own.sum()),
            "alerts": int(self.scored.alerts[own].sum()),
            "alert_rate": float(self.scored.alerts[own].mean()) if own.any() else None,
            "estimated": estimated(self.scored.scores[own], self.scored.alerts[own]),
            "known": known(self.scored, own),
            "drift": self.drift.to_json(),
        }


def observe(settings: Settings, newest: int = NEWEST, false_alarms: float = FALSE_ALARMS) -> Observation:
    """Look at the ``newest`` live transactions in the store.

    Raises :class:`ModelError` without a champion, or with too few transactions, :class:`StoreUnavailable` and
    :class:`RegistryUnavailable`.
    """
    client = registry_client(settings)
    version = champion_version(settings, client)
    if version is None:
        raise ModelError("There is no champion to watch. Train one with `fraudstream train`.")
    scored = read_newest(settings, newest)
    if len(scored.rows) < LEAST_ROWS:
        raise ModelError(
            f"The store has {len(scored.rows):,} live transactions, and fewer than {LEAST_ROWS} say nothing about "
            "drift. Send some with `fraudstream generate live`."
        )
    reference, made_from = reference_of(settings, client, version)
    drift = check(reference, window_of(scored, version), false_alarms)
    return Observation(settings.model_name, version, datetime.now(UTC), made_from, scored, drift)


def window_of(scored: Scored, version: str) -> Window:
    """The transactions as a window; scores and alerts are those of this version."""
    own = scored.of_version(version)
    campaigns = Counter(name for name in scored.campaigns.tolist() if name)
    return Window(
        dict(zip(FEATURES, matrix(scored.rows).T, strict=True)),
        scored.scores[own],
        scored.alerts[own],
        int((scored.labels >= 0).sum()),
        campaigns,
    )


def reference_of(settings: Settings, client: MlflowClient, version: str) -> tuple[Reference, str]:
    """The version's reference and what it was made from: its `training`, or the stored `history` where it has none."""
    run_id = registered_version(settings, client, version).run_id or ""
    try:
        with tempfile.TemporaryDirectory(prefix="fraudstream-reference-") as folder:
            file = client.download_artifacts(run_id, REFERENCE_FILE, folder)
            return Reference.from_json(json.loads(Path(file).read_text("utf-8"))), "training"
    except (MlflowException, OSError, KeyError, TypeError, ValueError):
        return _of_history(settings, version), "history"


def _of_history(settings: Settings, version: str) -> Reference:
    """The reference of a version that another program or an older training registered."""
    stored = read_history(settings)
    rows = checked(stored.rows, stored.left_out)
    loaded = load_version(settings, version)
    inputs = dict(zip(FEATURES, matrix(rows).T, strict=True))
    return Reference.of(inputs, scores_of(loaded, rows), float(loaded.model.threshold), Rows.of(rows).campaigns)


def estimated(scores: np.ndarray, alerts: np.ndarray) -> dict[str, float | None]:
    """What the scores promise as long as they are calibrated, before any label is known."""
    frauds, caught = float(scores.sum()), float(scores[alerts].sum())
    return {
        "frauds": frauds,
        "precision": caught / int(alerts.sum()) if alerts.any() else None,
        "recall": caught / frauds if frauds else None,
    }


def known(scored: Scored, own: np.ndarray) -> dict[str, float | None]:
    """How good the decisions were on the transactions whose labels have come since."""
    judged = own & (scored.labels >= 0)
    labels, alerts = scored.labels[judged], scored.alerts[judged]
    frauds, hits = int(labels.sum()), int(labels[alerts].sum())
    return {
        "labelled": int(judged.sum()),
        "frauds": frauds,
        "precision": hits / int(alerts.sum()) if alerts.any() else None,
        "recall": hits / frauds if frauds else None,
        "average_precision": Ranking(labels, scored.scores[judged]).average_precision() if frauds else None,
    }
