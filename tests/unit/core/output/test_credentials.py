"""Addresses are shown without who signs in: no password, and no user where it may be a key."""

from __future__ import annotations

import time

import pytest

from fraudstream.core.configuration.settings import load_settings, shown_values
from fraudstream.core.output.redaction import Secrets, mask_uri, parts_of, redact

pytestmark = pytest.mark.timeless

SHOWN = {
    "https://ana:hush@host/": "https://ana:********@host/",  # pragma: allowlist secret
    "https://ana@corp.example:hush@host/": "https://ana@corp.example:********@host/",  # pragma: allowlist secret
    "https://ana:h/u@sh@host?x": "https://ana:********@host?x",  # pragma: allowlist secret
    "https://:hush@host": "https://:********@host",  # pragma: allowlist secret
    "https://s3cr3tt0ken:@host/": "https://********:@host/",
    "https://s3cr3tt0ken@host/": "https://********@host/",
    "https://s3cr3t@t0ken@host:443/a@b": "https://********@host:443/a@b",
    "mongodb://s3cr3tt0ken@one:1,two:2/?tls=true": "mongodb://********@one:1,two:2/?tls=true",
}
KEPT = [
    "https://host/@scope/package",
    "https://host:443/",
    "sqlite:////work/ana@home/runs.db",
    "mongodb://host:27017/?appName=@name@",
    "https://@host/",
    "a@b.example and c://d",
]


@pytest.mark.parametrize(("address", "shown"), SHOWN.items())
def test_who_signs_in_is_not_shown(address: str, shown: str) -> None:
    assert mask_uri(address) == redact(address) == shown
    assert redact(f"GET '{address}' and {address} failed") == f"GET '{shown}' and {shown} failed"
    assert redact(shown) == shown


@pytest.mark.parametrize("text", KEPT)
def test_what_signs_nobody_in_stays(text: str) -> None:
    assert mask_uri(text) == redact(text) == text


def test_a_key_in_the_users_place_is_shown_by_no_setting() -> None:
    settings = load_settings(
        mlflow_tracking_uri="https://s3cr3tt0ken@host/",
        scoring_url="https://s3cr3tt0ken:@host/",
        mongo_uri="mongodb://s3cr3tt0ken@host/",
    )
    assert "s3cr3tt0ken" not in str(shown_values(settings))


def test_a_long_user_without_a_password_is_a_secret_everywhere() -> None:
    key = "dapi0123456789abcdef"  # pragma: allowlist secret
    assert parts_of(f"https://{key}@host/") == parts_of(f"https://{key}:@host/") == {key}
    # A short one is a name that other texts have as well.
    assert parts_of("https://fraudstream@host/") == set()
    assert key not in parts_of(f"https://{key}:hush-hush@host/")


# What a sender of events may repeat, and what follows it.
ROWS = [
    *[
        ("://a:", " @"),
        ("://a:@", " @x@"),
        ("://a@b@", " @"),
        ("://a@:", " @"),
        ("://@", ""),
        ("@", "://"),
        ("://", "@"),
    ],
    *[("eyJ-", ".x"), ("eyJaaaaaaaa-", " "), ("eyJaaaaaaaa.", " "), ("eyJ", "."), ("a-", "eyJ")],
    *[('password="', "\\"), ('secret="\\', '"'), ("SharedAccessKey ", "="), ("SharedAccessKey=", " ")],
    *[("Bearer ", "*"), ("Bearer\t\t", "*"), ("Authorization basic ", ""), ("SharedAccessSignature ", "")],
    *[("abcdefgh", ""), ("qrstuvwx", ""), ("short7 ", "")],
]


@pytest.mark.parametrize(("unit", "end"), ROWS)
def test_the_time_grows_with_the_text_and_not_with_its_square(unit: str, end: str) -> None:
    known = Secrets()
    for secret in ("abcdefghijklmnopqrstuvwx", "short7"):
        known.add(secret)
    text = unit * (1_000_000 // len(unit)) + end
    begun = time.process_time()
    known.redact(text)
    mask_uri(text)
    # In one pass it is less than one second; in its square it would be hours.
    assert time.process_time() - begun < 10
