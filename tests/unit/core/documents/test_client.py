"""The document store's client and collections."""

from __future__ import annotations

from typing import Any

import pytest
from bson.codec_options import DatetimeConversion
from pymongo.errors import ServerSelectionTimeoutError

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import ConfigurationError, StoreUnavailable


def test_the_client_is_aware_of_time_zones_and_gives_up_soon() -> None:
    with documents.client(load_settings()) as client:
        assert client.codec_options.tz_aware
        assert client.options.server_selection_timeout == 5
        assert client.options.pool_options.appname == "fraudstream"
        assert client.options.pool_options.max_idle_time_seconds == 120
        assert not client.options.retry_writes


def test_what_the_address_says_is_not_overridden() -> None:
    uri = "mongodb://host/?appName=@account@&maxIdleTimeMS=60000&retrywrites=true"
    with documents.client(load_settings(mongo_uri=uri)) as client:
        assert client.options.pool_options.appname == "@account@"
        assert client.options.pool_options.max_idle_time_seconds == 60
        assert client.options.retry_writes


def test_values_are_read_alike_whatever_the_address_says() -> None:
    options = "tz_aware=false&datetime_conversion=DATETIME&unicode_decode_error_handler=strict"
    with documents.client(load_settings(mongo_uri=f"mongodb://host/?{options}")) as client:
        read = client.codec_options
        assert (read.tz_aware, read.unicode_decode_error_handler) == (True, "replace")
        assert read.datetime_conversion == DatetimeConversion.DATETIME_AUTO
        assert documents.database(load_settings()).codec_options.datetime_conversion == read.datetime_conversion


def test_what_the_caller_says_is_taken() -> None:
    with documents.client(load_settings(), serverSelectionTimeoutMS=100) as client:
        assert client.options.server_selection_timeout == 0.1


def test_the_database_is_a_setting() -> None:
    database = documents.database(load_settings(mongo_database="elsewhere"))
    assert database.name == "elsewhere"
    database.client.close()


def test_without_an_address_the_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^FRAUDSTREAM_MONGO_URI is empty"):
        documents.client(load_settings(mongo_uri=""))


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://user:hush@ed@host/",
        "mongodb://user:hush/ed@host",
        "host:27017/hush",
        "mongodb://host:hush",
        "mongodb://host/?datetime_conversion=hush",
    ],
)
def test_an_unusable_address_is_not_repeated(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^FRAUDSTREAM_MONGO_URI is no usable") as caught:
        documents.client(load_settings(mongo_uri=uri))
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_error_for_a_store_that_is_away_hides_the_password() -> None:
    error = documents.unavailable(ServerSelectionTimeoutError("nobody listens"), "mongodb://user:hush@host/")
    assert "mongodb://user:********@host/" in str(error)
    assert "nobody listens" in str(error)
    assert "fraudstream up" in str(error)


class FakeDatabase:
    """Collections that note their indexes, or a store that is away."""

    def __init__(self, away: bool = False) -> None:
        self.indexes: dict[str, list[list[tuple[str, int]]]] = {}
        self.away = away

    def __getitem__(self, name: str) -> Any:
        database = self

        class Indexed:
            def create_indexes(self, models: list[Any]) -> None:
                if database.away:
                    raise ServerSelectionTimeoutError("nobody listens")
                database.indexes[name] = [list(model.document["key"].items()) for model in models]

        return Indexed()


def test_indexes_are_created_where_pages_sort() -> None:
    database: Any = FakeDatabase()
    documents.create_indexes(database)
    assert database.indexes == {
        "transactions": [[("enqueued_at", -1)], [("event_time", -1)]],
        "alerts": [[("enqueued_at", -1)]],
        "rejected": [[("rejected_at", -1)]],
        "rollups": [[("period", 1), ("origin", 1), ("start", 1)]],
    }


def test_a_store_that_is_away_when_indexes_are_created() -> None:
    database: Any = FakeDatabase(away=True)
    with pytest.raises(StoreUnavailable, match="nobody listens"):
        documents.create_indexes(database)


def test_indexes_stay_within_what_the_cloud_store_takes() -> None:
    for collection in documents.COLLECTIONS:
        assert len(collection.indexes) <= 500
        assert all(len(keys) <= 8 for keys in collection.indexes)
    assert len({collection.name for collection in documents.COLLECTIONS}) == 6


@pytest.mark.parametrize("before", range(185, 200, 2))
def test_what_is_cut_of_the_drivers_text_holds_no_piece_of_a_secret(before: int) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")
    message = str(documents.unavailable(ServerSelectionTimeoutError(f"{'x' * before}qX7pL9zRwN4v and more")))
    assert "qX" not in message
    assert "x" * 185 in message
