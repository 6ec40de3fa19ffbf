"""What a demo does: how much of what it sends, and by which commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fraudstream.core.errors import FraudstreamError

# A demo of a large file comes to its end.
_RATE = 20.0
_WHOLE_FILE = 200_000
_MOST_HISTORY = 100_000
_MOST_LIVE = 200_000

# A demo that ends by itself does not keep anybody waiting for a second model.
_LASTING_ALGORITHM, _ALGORITHM = "all", "xgboost"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; None: what suits the source. ``events`` 0: until Ctrl-C. ``rate``: events/s, 0 at once."""

    history: int | None
    events: int
    rate: float | None
    malformed: int
    seed: int | None
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is sent: ``publish`` and ``live`` are the words of our commands that send history and live events.

    ``events`` 0 means without end. ``history``: how many labelled events there will be; of a file at most, as rows
    without a label are none. ``told``: what to say of the choice, if anything.
    """

    publish: tuple[str, ...]
    history: int
    live: tuple[str, ...]
    events: int
    algorithm: str
    is_file: bool
    told: str = ""


def simulated(plan: Plan, history_count: int, *, leave: bool) -> Traffic:
    """Made-up events, ``history_count`` of them labelled where no number was asked for."""
    history = history_count if plan.history is None else plan.history
    live = ["generate", "live", "--rate", str(_RATE if plan.rate is None else plan.rate)]
    live += ["--malformed", str(plan.malformed)]
    if plan.events:
        live += ["--count", str(plan.events)]
    # History and live events of one line of time are of one seed.
    seed = () if plan.seed is None else ("--seed", str(plan.seed))
    live += seed
    publish = ("generate", "history", *seed, "--count")
    algorithm = plan.algorithm or (_ALGORITHM if leave else _LASTING_ALGORITHM)
    return Traffic(publish, history, tuple(live), plan.events, algorithm, False)


def of_file(plan: Plan, file: Mapping[str, Any], *, leave: bool) -> Traffic:
    """A file's rows: ``file`` says how many they are, how many of them are history, and how many are left to replay.

    Raises :class:`FraudstreamError` where none are left.
    """
    rows, first, left = file["rows"], file["history_rows"], file["left"]
    if not left:
        raise FraudstreamError(
            f"All {rows - first:,} live rows of the file have been replayed. `fraudstream reset` deletes what became "
            "of them; `fraudstream replay --restart` sends them once more."
        )
    most = _MOST_HISTORY if rows > _WHOLE_FILE else first
    history = min(first, most if plan.history is None else plan.history)
    # Without an end that was asked for, a demo that leaves takes all there is, within bounds.
    events = min(plan.events or (_MOST_LIVE if leave else 0), left)
    rate = plan.rate if plan.rate is not None else 0.0 if leave else _RATE
    live = ["replay", "--speed", "0", "--rate", str(rate), "--malformed", str(plan.malformed)]
    if events:
        live += ["--count", str(events), "--release-labels"]
    text = (
        f"{rows:,} rows: {f'all {first:,}' if history == first else f'the last {history:,} of {first:,}'} of history, "
        f"then {f'{events:,} of' if 0 < events < left else 'all'} {left:,} live ones"
    )
    publish = ("generate", "history", "--count")
    return Traffic(publish, history, tuple(live), events, plan.algorithm or _ALGORITHM, True, text)
