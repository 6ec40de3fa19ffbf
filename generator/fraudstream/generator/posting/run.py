"""One run over HTTP: the connections, and a signal that ends it."""

from __future__ import annotations

from fraudstream.generator.pacing import Interruption
from fraudstream.generator.posting.sender import HttpProducer
from fraudstream.generator.posting.target import Target
from fraudstream.generator.publish import Deliver, Result


def posted(target: Target, deliver_all: Deliver) -> Result:
    """Deliver over HTTP until SIGINT or SIGTERM. Raises as :func:`fraudstream.generator.publish.publish` does.

    Where the topics ended before and after stays open: a sender over HTTP cannot read them.
    """
    sender = HttpProducer(target)
    try:
        with Interruption() as clock:
            return deliver_all(sender, clock)
    finally:
        sender.close()
