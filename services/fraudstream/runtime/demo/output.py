"""What the demo says: its steps, its summary, and where to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fraudstream.core.configuration.settings import Settings, mask_uri
from fraudstream.core.output.terminal import say_json, styled, terminal
from fraudstream.runtime.accounting import Summary

console = terminal(stderr=True)


def announce(settings: Settings) -> None:
    """Print the addresses of the pages and services, without the passwords that one may hold."""
    pages = mask_uri(settings.dashboard_url)
    console.print(f"live dashboard   {pages}/")
    console.print(f"history report   {pages}/history")
    console.print(f"models (MLflow)  {mask_uri(settings.mlflow_tracking_uri)}")
    console.print(f"scoring service  {mask_uri(settings.scoring_url)}/docs")


def report(summary: Summary, as_json: bool) -> None:
    """Print the account of a run: in words on stderr, or as one JSON object on stdout."""
    if as_json:
        say_json(summary.to_json())
        return

    def shown(value: float | None, unit: str) -> str:
        return "–" if value is None else f"{value:,.0f} {unit}"

    filtered = f" + filtered {summary.filtered:,}" if summary.filtered else ""
    console.print(
        f"produced {summary.produced:,} = scored {summary.scored:,} + rejected {summary.rejected:,}{filtered} · "
        f"stored {summary.stored:,} · frauds {summary.frauds:,}",
        style="green" if summary.complete else "red",
    )
    console.print(
        f"latency p50 {shown(summary.latency_p50_ms, 'ms')} · p95 {shown(summary.latency_p95_ms, 'ms')} · "
        f"p99 {shown(summary.latency_p99_ms, 'ms')} · first scored after {shown(summary.seconds_to_first_scored, 's')}"
    )
    if (quality := summary.quality) is not None:
        console.print(
            f"by {quality.labelled:,} labels that came later, {quality.labelled_frauds:,} of them of frauds: "
            f"precision {_share(quality.precision)} · recall {_share(quality.recall)} · "
            f"average precision {_share(quality.average_precision)}"
        )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show a step while it runs and what it took; the callable shows where it stands."""
    began = time.monotonic()
    with console.status(f"{title} …") as line:
        yield lambda state: line.update(f"{title} … {state}")
    console.print(styled(("✓", "green"), f" {title} ({time.monotonic() - began:.1f} s)"))
