"""`check azure`: clean on the project itself, and a finding for every rule that somebody breaks."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from fraudstream.asaql.project_files.folder import FunctionPlace, PythonPlace
from fraudstream.asaql.project_files.models import FunctionFile
from fraudstream.cloud.check import stores
from fraudstream.cloud.check.linter import lint
from fraudstream.cloud.check.subject import Subject, gather
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.configuration.malformed import Malformed
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.configuration.variables import Unread
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.topics import DAY_MS, topics_of
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import bundled
from tests.azure import AZURE, CONNECTION_STRING, COSMOS_KEY, HUB_STRING, MONGO_URI, SAS_KEY

pytestmark = pytest.mark.timeless

Plant = Callable[[Subject], Subject]


@pytest.fixture(scope="module")
def project(project_root: Path) -> Path:
    return project_root


@pytest.fixture(scope="module")
def clean(project: Path) -> Subject:
    """The project with a complete and correct environment."""
    return replace(gather(project), settings=load_settings(**AZURE), addressed=True)


def setting(**changes: Any) -> Plant:
    def plant(subject: Subject) -> Subject:
        values = {name: getattr(subject.settings, name) for name in Settings.model_fields}
        return replace(subject, settings=Settings(**(values | changes)))

    return plant


def option(**changes: Any) -> Plant:
    named = {name.replace("_", "."): value for name, value in changes.items()}
    return lambda subject: replace(subject, clients={"spark": {**subject.clients["spark"], **named}})


def code(text: str) -> Plant:
    sources = {"services/fraudstream/planted/module.py": ast.parse(text)}
    return lambda subject: replace(subject, sources={**subject.sources, **sources})


def command(**content: Any) -> Plant:
    operations = content.pop("operations", 0)
    planted = {"from": "planted", "command": content, "operations": operations}
    return lambda subject: replace(subject, commands=(*subject.commands, planted))


def parameter(**changes: Any) -> Plant:
    return lambda subject: replace(subject, parameters={**subject.parameters, **changes})


def hubs(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Plant:
    def plant(subject: Subject) -> Subject:
        definitions = json.loads(json.dumps(subject.definitions))
        return replace(subject, definitions=definitions | {"hubs": change(definitions["hubs"])})

    return plant


def topics(**changes: Any) -> Plant:
    return lambda subject: replace(subject, topics=(*subject.topics[:-1], replace(subject.topics[-1], **changes)))


def collections(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    def plant(subject: Subject) -> Subject:
        definitions = json.loads(json.dumps(subject.definitions))
        return replace(
            subject,
            definitions=definitions
            | {"collections": [change(collection) for collection in definitions["collections"]]},
        )

    return plant


def deployment(**changes: Any) -> Plant:
    return lambda subject: replace(subject, deployment={**subject.deployment, **changes})


def endpoint(**changes: Any) -> Plant:
    return lambda subject: replace(subject, endpoint={**subject.endpoint, **changes})


def dimensions(**changes: Any) -> Plant:
    def plant(subject: Subject) -> Subject:
        project = subject.project
        counted = project.definition.dimensions.model_copy(update=changes)
        return replace(
            subject,
            project=replace(project, definition=project.definition.model_copy(update={"dimensions": counted})),
        )

    return plant


def event_field(rule: FieldRule) -> Plant:
    return lambda subject: replace(subject, project=replace(subject.project, rules=(*subject.project.rules, rule)))


def query(change: Callable[[str], str]) -> Plant:
    return lambda subject: replace(subject, query=replace(subject.query, text=change(subject.query.text)))


def selected(text: str) -> Plant:
    """One more SELECT behind the others, of an output that no file describes."""
    return query(lambda known: f"{known}\nSELECT {text} INTO more FROM decided d")


def output_file(**changes: Any) -> Plant:
    """Other properties of the hub of the query's first output."""

    def plant(subject: Subject) -> Subject:
        first, *others = subject.query.outputs
        entries = first.entries.model_copy(deep=True)
        entries.further["EventHubProperties"].update(changes)
        return replace(subject, query=replace(subject.query, outputs=(replace(first, entries=entries), *others)))

    return plant


def functions(change: Callable[[FunctionPlace], FunctionPlace | None]) -> Plant:
    def plant(subject: Subject) -> Subject:
        places = tuple(place for known in subject.query.functions if (place := change(known)) is not None)
        return replace(subject, query=replace(subject.query, functions=places))

    return plant


def counted_by_any_text(subject: Subject) -> Subject:
    return dimensions(fields=("shop",))(event_field(FieldRule("shop", "text"))(subject))


def many_groups(subject: Subject) -> Subject:
    return code("\n".join(f"G{number}_GROUP = 'g{number}'" for number in range(25)))(subject)


def password(text: str) -> Plant:
    return setting(kafka_sasl_password=text)


def uri(old: str, new: str) -> Plant:
    return setting(mongo_uri=MONGO_URI.replace(old, new))


def find(**content: Any) -> Plant:
    return command(find="transactions", **content)


def pipeline(*stages: Mapping[str, Any]) -> Plant:
    return command(aggregate="transactions", pipeline=list(stages), cursor={})


def index(**content: Any) -> Plant:
    return command(createIndexes="alerts", indexes=[content])


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def hub(**changes: Any) -> Plant:
    """An IoT hub of one unit, and few devices that send little."""
    small = {"iotHubUnits": 1, "expectedDeviceEventsPerSecond": 4, "expectedDevices": 100}
    return parameter(**small | changes)


def own_limit(module: str, text: str) -> Plant:
    return lambda subject: replace(subject, sources={**subject.sources, module: ast.parse(text)})


def large_sample(subject: Subject) -> Subject:
    return replace(hub()(subject), sample_event_bytes=300 * 1024)


def hub_string(text: str) -> Plant:
    return setting(iot_hub_connection_string=text)


def untimed_state(subject: Subject) -> Subject:
    """Features by card in the order in which events came: without a time of the event's own."""
    text = """
        SELECT t.card, COUNT(*) OVER (PARTITION BY t.card LIMIT DURATION(hour, 1)) AS often
        INTO scored FROM transactions t
    """
    return query(lambda _: text)(hub()(subject))


# Each rule, broken. A rule may be broken in more than one way.
PLANTS: list[tuple[str, Plant]] = [
    ("EH001", option(security_protocol="SASL_PLAINTEXT")),
    ("EH002", option(sasl_mechanism="SCRAM-SHA-256")),
    ("EH003", setting(kafka_sasl_username="fraudstream-services")),
    ("EH004", password("SharedAccessSignature sr=x&sig=y&se=1&skn=z")),
    ("EH005", password(CONNECTION_STRING[:-7])),
    ("EH005", password(CONNECTION_STRING.replace(f"SharedAccessKey={SAS_KEY}", ""))),
    ("EH006", setting(kafka_bootstrap_servers="space.servicebus.windows.net:9092")),
    ("EH006", setting(kafka_bootstrap_servers="space.servicebus.windows.net:5671")),
    ("EH006", setting(kafka_bootstrap_servers="broker.example:9093")),
    ("EH007", password(CONNECTION_STRING.replace("fraudstream-services", "transactions-send"))),
    ("EH008", password(CONNECTION_STRING + ";EntityPath=transactions")),
    ("EH009", password(CONNECTION_STRING.replace("//space.", "//other."))),
    ("EH009", password(CONNECTION_STRING.replace("servicebus.windows.net", "azure-devices.net"))),
    ("EH010", parameter(eventHubsSku="Basic")),
    ("EH011", option(max_request_size=1_046_528)),
    ("EH012", setting(kafka_max_request_bytes=900_000)),
    ("EH013", option(compression_type="gzip")),
    ("EH013", code("producer(settings, compression_type='lz4')")),
    ("EH014", option(connections_max_idle_ms=540_000)),
    ("EH014", code("OPTIONS = {'connections_max_idle_ms': 540000}")),
    ("EH015", option(metadata_max_age_ms=300_000)),
    ("EH016", option(request_timeout_ms=5_000)),
    ("EH017", hubs(lambda all_hubs: [hub | {"partitions": 64} for hub in all_hubs])),
    ("EH018", hubs(lambda all_hubs: [*all_hubs, *({"name": f"h{n}", "partitions": 1} for n in range(9))])),
    ("EH019", many_groups),
    ("EH020", code("from kafka.admin import KafkaAdminClient\nKafkaAdminClient().create_topics({})")),
    ("EH021", topics(retention_ms=8 * DAY_MS)),
    ("EH022", code("producer(settings, transactional_id='one')")),
    ("EH023", code("consumer(settings, session_timeout_ms=1000)")),
    ("EH024", code(f"consumer.commit({{part: OffsetAndMetadata(1, {'m' * 2_000!r}, -1)}})")),
    ("EH025", code(f"LONG_GROUP = {'g' * 300!r}")),
    ("EH026", topics(name="unknown")),
    ("EH027", lambda subject: replace(subject, expected_events_per_second=50_000)),
    ("EH028", setting(kafka_sasl_mechanism="OAUTHBEARER", kafka_oauth_scope="https://eventhubs.azure.net/.default")),
    ("EH029", code("rows.writeStream.format('kafka').options(**spark_options(settings)).start()")),
    ("EH029", code("rows.write.format('kafka').options(**spark_sink_options(s)).option('kafka.acks', 1).save()")),
    ("EH029", code("spark.readStream.format('kafka').options(**{'a': 1}, **spark_options(s)).option('kafka.x', 1)")),
    ("EH030", setting(ingest_url="http://space.servicebus.windows.net")),
    ("EH030", setting(ingest_url="https://other.servicebus.windows.net")),
    ("EH031", setting(ingest_connection_string=CONNECTION_STRING[:-7])),
    ("EH031", setting(ingest_connection_string=CONNECTION_STRING.replace("//space.", "//other."))),
    ("EH032", lambda subject: replace(subject, http_batch_bytes=2 * 1024 * 1024)),
    ("IH001", hub(expectedDeviceEventsPerSecond=5)),
    ("IH001", hub(iotHubSku="F1", expectedDeviceEventsPerSecond=1)),
    ("IH001", lambda subject: replace(hub()(subject), sample_event_bytes=4_097)),
    ("IH002", hub(iotHubSku="S3", expectedDeviceEventsPerSecond=6_001, iotHubUnits=1)),
    ("IH003", hub(expectedDevices=400_000)),
    ("IH004", large_sample),
    ("IH004", own_limit("generator/fraudstream/generator/telemetry/sender.py", "LARGEST_MESSAGE = 257 * 1024")),
    ("IH005", hub(expectedDevices=150_000)),
    ("IH006", hub(expectedDevices=400_000)),
    ("IH007", hub(expectedDevices=200_000)),
    ("IH008", own_limit("services/fraudstream/devices/registry/twins.py", "MOST_BYTES = {'tags': 9 * 1024}")),
    ("IH009", own_limit("services/fraudstream/devices/methods.py", "MOST_BYTES = 129 * 1024")),
    ("IH010", hub(expectedCommandsPerMinute=101)),
    ("IH011", own_limit("services/fraudstream/devices/registry/mailbox.py", "MOST_QUEUED = 51")),
    ("IH011", own_limit("services/fraudstream/devices/registry/mailbox.py", "MOST_BYTES = 64 * 1024 + 1")),
    ("IH012", hub(iotHubSku="B1", expectedCommandsPerMinute=1)),
    ("IH013", own_limit("services/fraudstream/devices/registry/identities.py", "MOST_CHILDREN = 101")),
    ("IH013", own_limit("services/fraudstream/devices/registry/identities.py", "MOST_LAYERS = 6")),
    ("IH014", hub(iotHubRetentionDays=8)),
    ("IH014", hub(iotHubSku="B2", iotHubPartitions=16)),
    ("IH015", setting(kafka_bootstrap_servers="iothub-ns-mine-1-0f.servicebus.windows.net:9093")),
    ("IH015", setting(kafka_bootstrap_servers="mine.azure-devices.net:9093")),
    ("IH016", hub_string(HUB_STRING[:-5])),
    ("IH016", hub_string(HUB_STRING.replace(".azure-devices.net", ""))),
    ("IH016", hub_string(HUB_STRING.replace("HostName=mine.azure-devices.net;", ""))),
    ("IH017", setting(iot_hub_connection_string=HUB_STRING, iot_hub_url="http://mine.azure-devices.net")),
    ("IH017", setting(iot_hub_connection_string=HUB_STRING, iot_hub_mqtt_url="mqtts://other.azure-devices.net")),
    ("IH018", untimed_state),
    ("IH019", hub(iotHubSku="S3", iotHubUnits=11)),
    ("IH019", hub(iotHubSku="S3", iotHubUnits=10, expectedDevices=1_000_001)),
    ("CO001", uri("retrywrites=false", "retrywrites=true")),
    ("CO001", command(insert="alerts", documents=[{"_id": "value"}], txnNumber=1)),
    ("CO002", uri("ssl=true&", "")),
    ("CO003", uri(":10255", ":27017")),
    ("CO004", setting(mongo_uri=MONGO_URI.replace("%3D%3D", ""))),
    ("CO005", uri("//account:", "//admin:")),
    ("CO006", uri("maxIdleTimeMS=120000", "maxIdleTimeMS=600000")),
    ("CO006", uri("maxIdleTimeMS=120000&", "")),
    ("CO007", uri("&appName=@account@", "")),
    ("CO008", pipeline({"$bucket": {"groupBy": "$amount"}})),
    ("CO008", pipeline({"$match": {}}, {"$setWindowFields": {}})),
    ("CO009", pipeline({"$project": {"day": {"$dateTrunc": {"date": "$event_time", "unit": "day"}}}})),
    ("CO010", pipeline({"$group": {"_id": "$month", "p95": {"$percentile": {"p": [0.95]}}}})),
    ("CO011", find(filter={"$text": {"$search": "fraud"}})),
    ("CO011", find(filter={"$where": "this.amount > 1"})),
    ("CO012", pipeline({"$lookup": {"from": "alerts", "let": {"id": "$_id"}, "pipeline": []}})),
    ("CO013", command(mapReduce="transactions")),
    ("CO013", command(collMod="transactions")),
    ("CO014", find(filter={}, sort={"amount": -1})),
    ("CO014", pipeline({"$match": {}}, {"$sort": {"amount": 1}})),
    ("CO015", find(filter={}, sort={"amount": -1, "event_time": -1})),
    ("CO016", lambda subject: replace(subject, largest_event_bytes=2 * 1024 * 1024)),
    ("CO017", setting(mongo_max_request_bytes=16 * 1024 * 1024)),
    ("CO018", command(findAndModify="alerts", sort={"enqueued_at": 1, "amount": 1}, query={})),
    ("CO019", index(key={"category": "text"}, name="t")),
    ("CO019", index(key={"category": 1}, name="s", sparse=True)),
    ("CO020", index(key={"amount": 1}, name="u", unique=True)),
    ("CO021", index(key={f"f{number}": 1 for number in range(9)}, name="c")),
    ("CO022", command(insert="alerts", documents=[{"amount": "value"}])),
    ("CO023", command(update="alerts", updates=[{"q": {}, "u": {"$set": {"_id": "value"}}}])),
    ("CO024", command(update="alerts", updates=[], startTransaction=True, autocommit=False)),
    ("CO025", index(key={"stored_at": 1}, name="ttl", expireAfterSeconds=60)),
    ("CO026", code("db['alerts'].insert_many(made)")),
    ("CO028", command(insert="alerts", documents=[{"_id": "value", "x": nested(128)}])),
    ("CO028", command(update="alerts", updates=[{"q": {}, "u": {"$set": {"x": nested(128)}}}])),
    ("CO029", command(insert="alerts", documents=[{"_id": "value", "$schema": "value"}])),
    ("CO029", command(update="alerts", updates=[{"q": {}, "u": {"_id": "value", "x": [{"$ref": "value"}]}}])),
    ("CO030", command(insert="alerts", documents=[{"_id": "v" * 2_049}])),
    ("CO027", command(update="alerts", updates=[], ordered=True, operations=500)),
    ("ML001", code("body = {'input_data': {'columns': names, 'data': rows}}")),
    ("ML002", endpoint(auth_mode="none")),
    ("ML003", deployment(request_settings={"max_concurrent_requests_per_instance": 1, "request_timeout_ms": 5_000})),
    ("ML004", deployment(request_settings={"request_timeout_ms": 60_000, "max_concurrent_requests_per_instance": 4})),
    ("ML005", setting(scoring_url="http://fraud.westeurope.inference.ml.azure.com")),
    ("ML006", code("rows = answer.json()['predictions']")),
    ("ML007", deployment(name="1-blue")),
    ("RG001", code("client.set_registered_model_alias(name, 'champion', '3')")),
    ("RG001", code("load_model('models:/fraud@champion')")),
    ("RG002", code("mlflow.pyfunc.log_model('model')")),
    ("RG003", code("client.rename_registered_model('a', 'b')")),
    ("RG004", code("client.search_model_versions(\"name LIKE 'fr%'\")")),
    ("RG005", setting(mlflow_tracking_uri="azureml://westeurope.api.azureml.ms/mlflow/v2.0/subscriptions/x")),
    ("PR001", setting(scoring_key="<key>")),
    ("PR001", setting(mongo_uri="")),
    ("PR002", code("if settings.profile == 'azure':\n    pass")),
    ("PR003", collections(lambda collection: collection | {"indexes": []})),
    ("PR004", lambda subject: replace(subject, commands=())),
    ("PR005", password(CONNECTION_STRING + "\n")),
    ("PR005", setting(mongo_uri=MONGO_URI + "\r\n")),
    ("PR005", setting(scoring_key="'" + AZURE["scoring_key"] + "'")),
    ("PR005", setting(kafka_bootstrap_servers="space.servicebus.windows.net")),
    ("PR005", setting(mongo_uri=MONGO_URI.replace("%3D%3D", "/=="))),
    ("PR005", lambda subject: replace(subject, malformed=(Malformed("kafka_port", "begins with a space"),))),
    ("CO029", event_field(FieldRule("$set", "text"))),
    (
        "CO031",
        collections(lambda collection: collection | {"indexes": [{"key": {"keys": [f"f{n}"]}} for n in range(501)]}),
    ),
    ("PR007", counted_by_any_text),
    ("PR008", dimensions(amount_edges=tuple(range(5_000)))),
    ("PR006", lambda subject: replace(subject, unread=(Unread("FRAUDSTREAM_KAFKA_PRT", "nothing reads it"),))),
    ("SA001", query(lambda known: known.replace("FROM checked c", "FROM checked c ORDER BY c.id", 1))),
    ("SA002", selected("CAST(d.amount AS bigint) AS whole")),
    ("SA002", selected("d.amount * 2 AS double")),
    ("SA003", selected("udf.risk(d.amount) AS risk")),
    ("SA003", functions(lambda place: None if place.name == "score" else place)),
    ("SA003", functions(lambda place: replace(place, python=PythonPlace(None, "m", "f"), script=None))),
    ("SA003", functions(lambda place: replace(place, entries=FunctionFile(ScriptType="")))),
    ("SA004", selected("d.id")),
    ("SA004", output_file(EventHubName="elsewhere")),
    ("SA005", output_file(PartitionKey="card")),
    ("SA007", query(lambda known: known.replace("d.decision.prediction = 1", "d.decision.prediction = '1'"))),
    ("SA006", event_field(FieldRule("Amount", "float"))),
]


PLANTED = dict(reversed(PLANTS))


def found_rules(subject: Subject) -> set[str]:
    return {finding.rule.id for finding in lint(subject)}


@pytest.mark.parity("rules of Event Hubs", "azure")
@pytest.mark.parity("rules of Cosmos DB for MongoDB", "azure")
@pytest.mark.parity("rules of Azure ML and its registry", "azure")
def test_the_project_is_clean(clean: Subject) -> None:
    assert [finding.to_json() for finding in lint(clean)] == []


@pytest.mark.parity("rules of an IoT hub", "azure")
def test_a_hub_within_its_units_is_clean_too(clean: Subject) -> None:
    with_hub = hub_string(HUB_STRING)(hub()(clean))
    assert [finding.to_json() for finding in lint(with_hub)] == []
    # What costs nothing in a larger tier.
    assert lint(hub(iotHubSku="S2", expectedDeviceEventsPerSecond=60)(clean)) == []


def test_without_a_hub_nothing_is_said_of_its_units(clean: Subject) -> None:
    assert lint(hub(iotHubUnits=0, expectedDevices=10**7, expectedDeviceEventsPerSecond=10**6)(clean)) == []


def test_no_finding_about_a_hubs_string_shows_its_key(clean: Subject) -> None:
    for text in (HUB_STRING[:-5], HUB_STRING.replace("HostName=mine", f"HostName={SAS_KEY}")):
        shown = json.dumps([finding.to_json() for finding in lint(hub_string(text)(clean))])
        assert SAS_KEY[:20] not in shown


def test_a_documentdb_cluster_is_clean_too(clean: Subject) -> None:
    """The vCore service has neither the account's port nor its appName."""
    cluster = (
        f"mongodb+srv://user:{COSMOS_KEY[:20]}@space.global.mongocluster.cosmos.azure.com/"
        "?tls=true&authMechanism=SCRAM-SHA-256&retrywrites=false&maxIdleTimeMS=120000"
    )
    assert [finding.to_json() for finding in lint(setting(mongo_uri=cluster)(clean))] == []


def test_there_are_rules_enough_and_each_says_what_to_do() -> None:
    assert len(rules()) >= 25
    for rule in rules().values():
        assert rule.demand, rule.id
        assert rule.fix, rule.id
        assert rule.source, rule.id
        assert rule.severity in ("error", "warning"), rule.id
    assert {rule for rule, _ in PLANTS} == set(rules())


@pytest.mark.parametrize(("rule", "plant"), PLANTS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(PLANTS)])
def test_a_broken_rule_is_reported(clean: Subject, rule: str, plant: Plant) -> None:
    assert rule in found_rules(plant(clean))


def test_what_is_wrong_with_the_query_is_named_by_its_place(clean: Subject) -> None:
    (stop,) = (finding for finding in lint(PLANTED["SA002"](clean)) if finding.rule.id == "SA002")
    line = len(clean.query.text.splitlines()) + 2
    assert stop.where == f"{clean.query.query_file}:{line}:8"
    assert "TRY_CAST gives NULL" in stop.problem


def test_a_projects_further_outputs_are_hubs(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    shutil.copytree(project / "projects" / "payments", own)
    for number in range(7):
        output = (own / "stream-analytics/Outputs/alerts.json").read_text("utf-8").replace("alerts", f"more{number}")
        (own / f"stream-analytics/Outputs/more{number}.json").write_text(output, "utf-8")
    listed = json.loads((own / "stream-analytics/asaproj.json").read_text("utf-8"))
    listed.pop("configurations")
    (own / "stream-analytics/asaproj.json").write_text(json.dumps(listed), "utf-8")
    monkeypatch.setenv("FRAUDSTREAM_PROJECT", str(own))
    subject = replace(gather(project), settings=load_settings(**AZURE), addressed=True)
    assert {topic.name for topic in subject.topics} == {hub["name"] for hub in subject.definitions["hubs"]}
    # Ten outputs, transactions and labels are more than a namespace of the tier Standard has.
    hubs = len(topics_of(bundled("payments"))) + 7
    assert {(finding.rule.id, finding.problem) for finding in lint(subject)} == {
        ("EH018", f"{hubs} hubs, 10 in Standard")
    }
    assert lint(parameter(eventHubsSku="Premium")(subject)) == []


def test_no_finding_shows_a_secret(clean: Subject) -> None:
    for text in (CONNECTION_STRING[:-7], CONNECTION_STRING + ";EntityPath=x"):
        subject = setting(kafka_sasl_password=text, mongo_uri=MONGO_URI.replace(":10255", ""))(clean)
        shown = json.dumps([finding.to_json() for finding in lint(subject)])
        assert SAS_KEY[:20] not in shown
        assert COSMOS_KEY[:20] not in shown


SWAPPED_URI = MONGO_URI.replace("//account:", "//").replace("@account.", ":account@account.")
LOST_NAME = CONNECTION_STRING.replace("SharedAccessKey=", "")


@pytest.mark.parametrize(
    ("rule", "where", "changes"),
    [
        ("EH005", "KAFKA_SASL_PASSWORD", {"kafka_sasl_password": SAS_KEY}),
        ("EH005", "KAFKA_SASL_PASSWORD", {"kafka_sasl_password": LOST_NAME}),
        ("EH005", "KAFKA_SASL_PASSWORD", {"kafka_sasl_password": f"{LOST_NAME};EntityPath=scored"}),
        ("EH008", "KAFKA_SASL_PASSWORD", {"kafka_sasl_password": f"{LOST_NAME};EntityPath={SAS_KEY}"}),
        (
            "EH003",
            "KAFKA_SASL_USERNAME",
            {"kafka_sasl_username": CONNECTION_STRING, "kafka_sasl_password": "$ConnectionString"},
        ),
        ("PR005", "KAFKA_SASL_USERNAME", {"kafka_sasl_username": SAS_KEY, "kafka_sasl_password": "$ConnectionString"}),
        ("PR005", "KAFKA_SASL_PASSWORD", {"kafka_sasl_username": SAS_KEY, "kafka_sasl_password": "$ConnectionString"}),
        ("PR005", "KAFKA_BOOTSTRAP_SERVERS", {"kafka_bootstrap_servers": CONNECTION_STRING}),
        ("PR005", "KAFKA_BOOTSTRAP_SERVERS", {"kafka_bootstrap_servers": SAS_KEY}),
        ("CO005", "MONGO_URI", {"mongo_uri": SWAPPED_URI}),
        ("CO007", "MONGO_URI", {"mongo_uri": SWAPPED_URI.replace("=@account@", f"=@{SAS_KEY}@")}),
        ("ML005", "SCORING_URL", {"scoring_url": f"http://ana:{SAS_KEY}@fraud.example"}),
        ("ML005", "SCORING_URL", {"scoring_url": f"http://fraud.example/score?code={SAS_KEY}"}),
    ],
)
def test_a_secret_in_another_place_is_named_and_not_shown(
    clean: Subject, rule: str, where: str, changes: dict[str, Any]
) -> None:
    findings = lint(setting(**changes)(clean))
    assert (rule, f"FRAUDSTREAM_{where}") in {(finding.rule.id, finding.where) for finding in findings}
    shown = json.dumps([finding.to_json() for finding in findings]).lower()
    for key in (SAS_KEY, COSMOS_KEY, quote_plus(COSMOS_KEY)):
        assert key[:10].lower() not in shown
        assert key[-10:].lower() not in shown


def test_whatever_a_check_repeats_holds_no_secret(clean: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    repeats = Finding(rules()["PR004"], f"at {SAS_KEY}", f"failed with {CONNECTION_STRING}")
    monkeypatch.setattr(stores, "findings", lambda _: [repeats])
    (finding,) = lint(setting(scoring_key="s3cret-key")(clean))
    assert SAS_KEY[:8] not in finding.where + finding.problem


def test_mistakes_that_the_service_shows_alike_are_told_apart(clean: Subject) -> None:
    """A refused login, whatever is wrong with it: here each has a sentence of its own."""
    mistakes = [
        password(CONNECTION_STRING[:-7]),
        password(CONNECTION_STRING.replace("fraudstream-services", "transactions-send")),
        password(CONNECTION_STRING.replace("//space.", "//other.")),
        password("SharedAccessSignature sr=x"),
        setting(kafka_sasl_username="me"),
        setting(kafka_bootstrap_servers="space.servicebus.windows.net:443"),
        parameter(eventHubsSku="Basic"),
    ]
    findings = [tuple((finding.rule.id, finding.problem) for finding in lint(plant(clean))) for plant in mistakes]
    assert all(findings)
    assert len(set(findings)) == len(mistakes)


def test_another_folder_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"main\.bicep"):
        gather(tmp_path)


def test_the_command_answers_in_json_and_by_its_status(project: Path) -> None:
    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        words = ["check", "azure", "--json", "--project", str(project)]
        return subprocess.run(
            [sys.executable, "-m", "fraudstream.runtime", *words],
            env={"PATH": "/usr/bin", "HOME": str(Path.home()), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    good = run()
    assert good.returncode == 0, good.stderr + good.stdout
    assert json.loads(good.stdout) == {"rules": len(rules()), "addresses_checked": False, "findings": []}
    bad = run(FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS="space.servicebus.windows.net:9092")
    assert bad.returncode == 1
    answer = json.loads(bad.stdout)
    assert {"EH006", "PR001"} <= {finding["rule"] for finding in answer["findings"]}
    assert all(finding["source"] and finding["fix"] for finding in answer["findings"])
