"""The demo's trainings: the first algorithm as soon as it can, the second where it is in nobody's way."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.registry import champion_version
from fraudstream.core.streaming.health import running_file
from fraudstream.runtime import lifecycle
from fraudstream.runtime.accounting import labelled_estimate
from fraudstream.runtime.log_reading import last_lines
from fraudstream.runtime.own_command import COMMAND, give_way, last_words, started
from fraudstream.runtime.supervise.state import log_file, read_state, run_dir

_POLL_SECONDS = 0.25
# A champion that is registered is taken up within seconds.
_CHAMPION_SECONDS = 300.0
_TOLD_SECONDS = 2.0
_BOTH = "all"
_FIRST, _SECOND = "xgboost", "gbt"
_STREAM = "stream"

Training = subprocess.Popen[bytes]


def first_of(algorithm: str) -> str:
    """The algorithm whose model is the first champion."""
    return _FIRST if algorithm == _BOTH else algorithm


@contextmanager
def training(
    settings: Settings, algorithm: str, awaited: int = 0, variables: Mapping[str, str] | None = None
) -> Iterator[Training]:
    """A training, running, which begins once so many labelled transactions are stored; it ends with the block.

    In a session of its own, so that it can give way as a whole. ``variables`` are of its environment.
    """
    log = settings.data_dir / "logs" / "train.log"
    words = ("train", "--algorithm", algorithm, "--await", str(awaited), "--json")
    environment = lifecycle.child_environment(settings) | dict(variables or {})
    with (
        log.open("ab") as output,
        started([*COMMAND, *words], stdout=output, stderr=output, env=environment, start_new_session=True) as process,
    ):
        yield process


@contextmanager
def second_training(settings: Settings, algorithm: str, *, gives_way: bool) -> Iterator[Training | None]:
    """The second of two algorithms, running; None where there is one alone.

    One that ``gives_way`` to live traffic has the lowest priority, on one processor.
    """
    if algorithm != _BOTH:
        yield None
        return
    few = {"OMP_NUM_THREADS": "1"} | ({} if settings.spark_master else {"FRAUDSTREAM_SPARK_MASTER": "local[1]"})
    with training(settings, _SECOND, variables=few if gives_way else None) as process:
        if gives_way:
            give_way(process)
        yield process


def await_champion(settings: Settings, process: Training | None, tell: Callable[[str], None]) -> None:
    """Wait until events would be scored. Raises :class:`FraudstreamError` where no champion will come."""
    told_at, ended_at = 0.0, None
    while not (version := scoring_version(settings)):
        check_training(settings, process)
        lifecycle.check_failing(settings, ("stream", "store"))
        now = time.monotonic()
        if ended_at is None and (process is None or process.poll() is not None):
            ended_at = now
        if ended_at is not None and now - ended_at > _CHAMPION_SECONDS:
            raise training_failure(settings, process) or FraudstreamError(
                f"No champion after {_CHAMPION_SECONDS:.0f} s. See `fraudstream logs train`."
            )
        if now - told_at > _TOLD_SECONDS:
            told_at = now
            tell(f"{labelled_estimate(settings):,} labelled events are stored")
        time.sleep(_POLL_SECONDS)
    tell(version)


def scoring_version(settings: Settings) -> str:
    """What scores, in words; empty while nothing does. Where the stream job scores, its query runs with a champion."""
    if settings.scoring == "embedded":
        return "the stream job scores" if _stream_scores(settings) else ""
    return f"version {served}" if (served := _served(settings)) else ""


def _stream_scores(settings: Settings) -> bool:
    state = read_state(settings.data_dir)
    stream = state.parts.get(_STREAM) if state else None
    # An earlier run may have left the file, until the part is started anew.
    is_ready = stream is not None and stream.state == "ready"
    return is_ready and running_file(run_dir(settings.data_dir.resolve()) / f"{_STREAM}.ready").exists()


def _served(settings: Settings) -> str:
    """The version that the scoring service has loaded; empty without one."""
    try:
        # A part of ours: no proxy of the environment, well-formed or not, has a say in it.
        answer = httpx.get(f"{settings.scoring_url}/health", timeout=5, trust_env=False)
        health = answer.json() if answer.status_code == httpx.codes.OK else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return ""
    return str(health.get("model_version") or "") if isinstance(health, dict) else ""


def await_training(settings: Settings, process: Training) -> None:
    """Wait for its end. Raises what it failed with."""
    process.wait()
    if failure := training_failure(settings, process):
        raise failure


def check_training(settings: Settings, process: Training | None) -> None:
    """Raises what the training failed with, unless there is a champion: of two algorithms one may have succeeded."""
    failure = training_failure(settings, process)
    if failure is not None and not has_champion(settings):
        raise failure


def training_failure(settings: Settings, process: Training | None) -> FraudstreamError | None:
    """What the training failed with, if it has."""
    if process is None or process.poll() in (None, 0):
        return None
    lines = last_lines(log_file(settings.data_dir, "train"), 1)
    reason = last_words("".join(lines).encode(), process.returncode)
    return FraudstreamError(f"Training failed: {reason} See `fraudstream logs train`.")


def has_champion(settings: Settings) -> bool:
    """Whether the registry has one, which is taken up by and by."""
    try:
        return champion_version(settings) is not None
    except FraudstreamError:
        return False
