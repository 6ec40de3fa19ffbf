"""Why a record was not taken, in words that hold no secret."""

from __future__ import annotations

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, SaslAuthenticationFailedError

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.kafka.deliveries import reason
from tests.azure import AZURE, CONNECTION_STRING, SAS_KEY


@pytest.mark.parametrize("before", [0, 100, 180, 195])
def test_a_reason_repeats_no_secret_wherever_it_is_cut(before: int) -> None:
    load_settings(**AZURE)
    error = SaslAuthenticationFailedError(f"{'x' * before} {SAS_KEY} of\n{CONNECTION_STRING}")
    text = reason(error)
    assert text.startswith("SaslAuthenticationFailedError: ")
    for length in range(4, 20):
        assert SAS_KEY[:length] not in text


def test_a_reason_says_what_it_means_in_one_printable_line() -> None:
    text = reason(MessageSizeTooLargeError("\x1b[2J 5\nbytes"))
    assert text.startswith("it is larger than the topic or a request may be (MessageSizeTooLargeError: ")
    assert text.endswith("\\x1b[2J 5 bytes)")
    assert reason(KafkaTimeoutError()).startswith("no answer in time")
