"""The pictures that go with a training run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fraudstream.ml.evaluation.metrics import reliability


def draw(folder: Path, labels: np.ndarray, scores: np.ndarray, threshold: float) -> None:
    """Write ``precision_recall.png``, ``calibration.png`` and ``confusion.png`` for held-out rows."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1.02), title="Precision and recall, held-out transactions")
    PrecisionRecallDisplay.from_predictions(labels, scores, ax=axes, name="model")
    figure.savefig(folder / "precision_recall.png")

    bins = reliability(labels, scores)
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot(title="Calibration", xlabel="mean score", ylabel="share of frauds")
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--")
    axes.plot([filled["mean_score"] for filled in bins], [filled["fraud_share"] for filled in bins], marker="o")
    figure.savefig(folder / "calibration.png")

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.add_subplot(title=f"Decisions at threshold {threshold:g}")
    ConfusionMatrixDisplay.from_predictions(
        labels, scores >= threshold, ax=axes, colorbar=False, cmap="Blues", display_labels=["legitimate", "fraud"]
    )
    figure.savefig(folder / "confusion.png")
