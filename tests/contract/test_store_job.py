"""Our own parts against broker and store: the same cases as processes of one machine and as containers of a network."""

from __future__ import annotations

import pytest

from fraudstream.core.contract.topics import TOPICS
from fraudstream.core.documents import client as documents
from tests.contract.conftest import Deployment
from tests.system.conftest import await_condition

COUNT = 500
SECONDS = 180


class StoreJobContract:
    """The cases; a subclass says where everything runs."""

    @pytest.fixture
    def deployment(self) -> Deployment:
        raise NotImplementedError

    def test_published_history_is_stored_once_though_the_store_is_killed(self, deployment: Deployment) -> None:
        db = documents.database(deployment.settings)
        deployment.command("topics", "create")
        assert deployment.command("topics", "create") == {"created": []}
        before = db.transactions.count_documents({"origin": "history"})
        with deployment.store_job():
            first = deployment.command("generate", "history", "--count", str(COUNT))
            assert first["produced"] == COUNT
            await_condition(lambda: self._stored(deployment) == before + COUNT, SECONDS)
            deployment.kill("store")
            second = deployment.command("generate", "history", "--count", str(COUNT))
            assert second["first_id"] == first["last_id"] + 1
            await_condition(lambda: self._stored(deployment) == before + 2 * COUNT, SECONDS)

    def test_every_topic_of_the_table_is_there(self, deployment: Deployment) -> None:
        deployment.command("topics", "create")
        published = deployment.command("generate", "live", "--count", "10", "--rate", "0")
        assert {topic.name for topic in TOPICS} >= set(published["offsets"])
        assert sum(end - start for start, end in published["offsets"]["transactions"].values()) == 10

    @staticmethod
    def _stored(deployment: Deployment) -> int:
        db = documents.database(deployment.settings)
        return db.transactions.count_documents({"origin": "history"})


@pytest.mark.stack
@pytest.mark.spark
@pytest.mark.parity("documents and rollups from the store job", "local")
class TestLocalStoreJob(StoreJobContract):
    @pytest.fixture
    def deployment(self, local_parts: Deployment) -> Deployment:
        return local_parts


@pytest.mark.containers
@pytest.mark.parity("documents and rollups from the store job", "compose")
class TestContainerStoreJob(StoreJobContract):
    @pytest.fixture
    def deployment(self, containers: Deployment) -> Deployment:
        return containers
