"""The one back-off: how long to wait after failures in a row.

The waits are those of tenacity. A loop that looks after several things at once asks for :meth:`Backoff.seconds`; code
that calls, and calls again after a failure, gives the value to ``tenacity.Retrying(wait=…)``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, wait_exponential
from tenacity.wait import wait_base


@dataclass(frozen=True)
class Backoff(wait_base):
    """Waits ``first_seconds`` after the first failure, twice as long after each further one, ``most_seconds`` at most.

    ``jitter``: the wait is multiplied by a random factor between these two, so that clients that failed together do
    not all come back at the same moment.
    """

    first_seconds: float
    most_seconds: float
    jitter: tuple[float, float] = (1.0, 1.0)

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds, as tenacity asks for them."""
        doubled = wait_exponential(multiplier=self.first_seconds, max=self.most_seconds)(retry_state)
        return self._jittered(doubled)

    def seconds(self, failures: int, asked_seconds: float = 0.0) -> float:
        """Seconds to wait after so many failures in a row (with none, as after the first).

        ``asked_seconds``: how long the other side asks to wait, in place of the doubled wait.
        """
        if asked_seconds:
            return self._jittered(asked_seconds)
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = max(failures, 1)
        return self(state)

    def _jittered(self, seconds: float) -> float:
        return seconds * random.uniform(*self.jitter)  # noqa: S311 - jitter, not a secret
