"""Settings: one class, three profiles, and where each value came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from fraudstream.core.configuration.addresses import malformed_addresses
from fraudstream.core.configuration.malformed import ENV_PREFIX as ENV_PREFIX
from fraudstream.core.configuration.malformed import Malformed, identity_secrets, malformed, malformed_identity
from fraudstream.core.configuration.model_name import ModelName
from fraudstream.core.configuration.sources import (
    DotEnvSource,
    ProfileFileSource,
    given_texts,
    plain,
    secrets_of,
    with_ports,
)
from fraudstream.core.configuration.sources import Profile as Profile
from fraudstream.core.configuration.sources import profile_values as profile_values
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.redaction import mask_uri as mask_uri
from fraudstream.core.output.redaction import redact, register
from fraudstream.core.project import places


class Settings(BaseSettings):
    """The effective settings of a process.

    Precedence: arguments, environment (``FRAUDSTREAM_…``), ``.env`` in the working folder, the profile's own
    file (``core/configuration/profiles/<profile>.toml``), the defaults below. Addresses may name a port setting in
    braces.
    """

    # The library's own reader of `.env` finds no file: it interpolates `$`, and takes UTF-8 alone.
    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_file="",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,  # bounds let infinity pass, which no clock, trigger or client takes
    )

    profile: Profile = Field("local", description="Which set of addresses and limits to use.")
    project: str = Field(
        "payments",
        min_length=1,
        description="The project in force: the name of a bundled one, or a folder, relative to the working folder.",
    )
    data_dir: Path = Field(Path(".fraudstream"), description="Data, logs and checkpoints of the local parts.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    bind_host: str = Field("127.0.0.1", description="Address that our own listeners bind to.")
    with_parts: str = Field("", description="Parts that `fraudstream up` starts beside its own, comma separated.")

    kafka_port: int = Field(9092, ge=1, le=65535, description="Port of the embedded broker.")
    kafka_controller_port: int = Field(9093, ge=1, le=65535, description="Port of its KRaft controller.")
    mongo_port: int = Field(27017, ge=1, le=65535, description="Port of the embedded document store.")
    mlflow_port: int = Field(5000, ge=1, le=65535, description="Port of the MLflow server.")
    scoring_port: int = Field(8000, ge=1, le=65535, description="Port of the scoring service.")
    dashboard_port: int = Field(8050, ge=1, le=65535, description="Port of the dashboards.")
    ingest_port: int = Field(8088, ge=1, le=65535, description="Port on which events come in over HTTP.")
    mqtt_port: int = Field(1883, ge=1, le=65535, description="Port on which devices connect over MQTT, without TLS.")
    mqtt_tls_port: int = Field(
        8883, ge=1, le=65535, description="Port on which devices connect over MQTT with TLS, if there is a certificate."
    )
    iot_hub_port: int = Field(8010, ge=1, le=65535, description="Port of the IoT hub's REST API.")

    kafka_bootstrap_servers: str = Field("", description="Brokers, host:port, comma separated.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka security protocol."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", ""] = Field(
        "", description="SASL mechanism, where the protocol has SASL."
    )
    kafka_sasl_username: str = Field("", description="SASL user; for Event Hubs `$ConnectionString`.")
    kafka_sasl_password: SecretStr = Field(
        SecretStr(""), description="SASL password; for Event Hubs the connection string."
    )
    kafka_oauth_scope: str = Field(
        "", description="Scope of OAUTHBEARER's token; empty: `https://<first broker's host>/.default`."
    )
    kafka_oauth_token_url: str = Field(
        "", description="Token endpoint for a service principal; empty: a managed or workload identity signs in."
    )
    kafka_oauth_client_id: str = Field("", description="The service principal's application id.")
    kafka_oauth_client_secret: SecretStr = Field(SecretStr(""), description="The service principal's secret.")
    kafka_max_request_bytes: int = Field(
        4 * 1024 * 1024, ge=65_536, description="Largest produce request; Event Hubs closes connections over 1,046,528."
    )
    kafka_ssl_cafile: Path | None = Field(None, description="CA certificates (PEM) that the brokers chain to.")
    topic_partitions: int = Field(2, ge=1, le=1024, description="Partitions of each topic when it is created.")

    tls_certificate: Path | None = Field(
        None, description="Certificate (PEM, with its chain) that the ways in show; empty: they speak without TLS."
    )
    tls_key: Path | None = Field(None, description="The certificate's private key (PEM).")

    ingest_url: str = Field(
        "", description="Address that events are posted to; empty: the namespace of the connection string, over HTTPS."
    )
    ingest_connection_string: SecretStr = Field(
        SecretStr(""),
        description="Policies whose keys may send over HTTP: Event Hubs' connection strings, separated by spaces; "
        "empty: one is made and kept in the data folder.",
    )
    ingest_hubs: str = Field("transactions,labels", description="Topics that take events over HTTP, comma separated.")
    ingest_throughput_units: int = Field(
        0, ge=0, le=40, description="Event Hubs' throughput units, beyond which senders are answered 429; 0: no limit."
    )
    ingest_clock_skew_seconds: float = Field(
        300.0, ge=0, le=3600, description="How far a sender's clock may differ before its token counts as expired."
    )
    ingest_jwks: Path | None = Field(
        None, description="Public keys (JWKS) of the issuer whose bearer tokens may send; empty: none may."
    )
    ingest_token_issuer: str = Field("", description="Issuer that bearer tokens have to name; empty: any.")
    ingest_token_roles: bool = Field(
        True, description="Bearer tokens have to name a role that sends, such as Azure Event Hubs Data Sender."
    )

    iot_hub: str = Field(
        "fraudstream", pattern=r"^[A-Za-z0-9-]{3,50}$", description="The IoT hub's name, as `-n` of commands has it."
    )
    iot_hub_host: str = Field(
        "localhost", min_length=1, description="Host name in devices' connection strings, user names and tokens."
    )
    iot_hub_url: str = Field("", description="Address of the IoT hub's REST API.")
    iot_hub_mqtt_url: str = Field(
        "", description="Where devices of ours connect: mqtt://host:port or mqtts://…; empty: the hub's host with TLS."
    )
    iot_hub_connection_string: SecretStr = Field(
        SecretStr(""),
        description="The policy that `fraudstream device` signs in with; empty: the owner's, from the data folder.",
    )
    iot_hub_topic: str = Field("transactions", min_length=1, description="Topic that devices' messages go to.")
    iot_edge_connection_string: SecretStr = Field(
        SecretStr(""),
        description="What `fraudstream edge` connects to its hub with; empty: asked of the hub of this data folder.",
    )
    mqtt_client_cafile: Path | None = Field(
        None, description="Authorities (PEM) that devices' own certificates chain to; empty: devices send tokens."
    )

    mongo_uri: SecretStr = Field(SecretStr(""), description="Connection string of the document store.")
    mongo_database: str = Field("fraudstream", min_length=1, description="Database name.")
    mongo_max_request_bytes: int = Field(
        16 * 1024 * 1024, ge=65_536, description="Largest bulk write in bytes; Cosmos DB (RU) takes 2 MB."
    )
    mongo_throttle_seconds: float = Field(
        120.0, gt=0, description="How long one batch waits for request units (code 16500) before it fails."
    )

    mlflow_tracking_uri: str = Field("", description="MLflow tracking server and registry.")
    mlflow_url: str = Field("", description="MLflow's address for browsers; empty: the tracking server's own.")
    model_name: ModelName = Field("fraud", min_length=1, description="Registered model's name.")
    champion_poll_seconds: float = Field(2.0, gt=0, description="How often a new champion is looked for.")

    scoring: Literal["remote", "embedded"] = Field(
        "remote", description="Score over HTTP, or with the model's trees in the stream job (implied by `realtime`)."
    )
    scoring_url: str = Field("", description="Base address of the scoring service; rows go to `/score`.")
    scoring_key: SecretStr = Field(SecretStr(""), description="Bearer key of the scoring service; empty: none.")
    scoring_timeout_seconds: float = Field(30.0, gt=0, description="Time limit of one scoring request.")
    scoring_attempts: int = Field(6, ge=1, description="Tries of one scoring request before the batch fails.")

    trigger: Literal["microbatch", "realtime"] = Field(
        "microbatch", description="How the scoring query runs; with embedded scoring the default is `realtime`."
    )
    # At each checkpoint the query stands still for a tenth of a second: one event in a thousand meets that. A restart
    # scores what came since the last one again, some seconds' work, and the store keeps the first decisions.
    realtime_checkpoint_seconds: int = Field(
        120, ge=5, description="How long a batch of the real-time trigger runs before its offsets are checkpointed."
    )
    trigger_interval_seconds: float = Field(1.5, ge=0, description="Least time between two micro-batches.")
    store_interval_seconds: float = Field(2.0, ge=0, description="Least time between two document writes.")
    rollup_interval_seconds: float = Field(5.0, ge=0, description="Least time between two rollup updates.")
    rollup_watermark_seconds: int = Field(
        3600, ge=60, description="How long a delivered id is remembered so that rollups count it once."
    )
    max_events_per_batch: int = Field(20_000, ge=1, description="Most events that one micro-batch takes in.")
    # More than the store takes within its interval, so that a backlog is written without pauses.
    max_records_per_write: int = Field(150_000, ge=1, description="Most records that one document write takes in.")
    shuffle_partitions: int = Field(2, ge=1, description="Partitions of the rollups' state; fixed by its checkpoint.")

    query_python: bool = Field(
        False,
        description="Functions in Python that the project's query calls run in the stream job, with all of its rights.",
    )
    spark_master: str = Field(
        "", description="Spark's master, such as spark://host:7077; empty: this machine, with slots for all partitions."
    )
    driver_memory: str = Field("768m", pattern=r"^\d+[mg]$", description="Heap of each Spark process.")
    # The first compiler tier alone halves what it costs to start; on a machine of its own a job earns the second. Its
    # own limit of 48 MB is nearly reached, and then code is thrown away and compiled again.
    # Boosted trees are a chain as long as they are many: its tasks overflow Java 21's stack of 1 MB.
    driver_java_options: str = Field(
        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=128m -Xss4m",
        description="Further Java options of each Spark process.",
    )
    kafka_heap: str = Field("384m", pattern=r"^\d+[mg]$", description="Heap of the embedded broker.")

    dashboard_url: str = Field("", description="Address of the dashboards.")
    dashboard_auth: Literal["none", "basic", "header"] = Field(
        "none", description="Who may see the dashboards: anybody who reaches them, a password, or a proxy's header."
    )
    dashboard_user: str = Field("", description="User of the login `basic`.")
    dashboard_password: SecretStr = Field(SecretStr(""), description="Password of the login `basic`.")
    dashboard_auth_header: str = Field(
        "X-MS-CLIENT-PRINCIPAL-NAME",
        min_length=1,
        description="Header in which a proxy names the user, for the login `header`.",
    )
    dashboard_trusted_proxies: str = Field(
        "127.0.0.1,::1", description="Addresses or networks of the proxies that may name a user, comma separated."
    )
    dashboard_guarded: bool = Field(
        False,
        description="Something in front of the dashboards keeps strangers out (a proxy, a port published on 127.0.0.1 "
        "alone): they may listen beyond this machine without a login.",
    )
    secrets_required: bool = Field(
        False, description="Refuse to start while an address or secret that a process needs is empty or a placeholder."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        without_file = getattr(dotenv_settings, "env_file", None) is None
        dotenv = dotenv_settings if without_file else DotEnvSource(settings_cls)
        chosen = (init_settings(), env_settings(), dotenv())
        profile = next((str(source["profile"]) for source in chosen if "profile" in source), "local")
        return init_settings, env_settings, dotenv, ProfileFileSource(settings_cls, profile)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_ports(cls, values: dict[str, Any]) -> dict[str, Any]:
        ports = {
            name: values.get(name, field.default) for name, field in cls.model_fields.items() if name.endswith("_port")
        }
        return {name: with_ports(name, value, ports) for name, value in values.items()}

    @model_validator(mode="before")
    @classmethod
    def _pair_trigger_and_scoring(cls, values: dict[str, Any]) -> dict[str, Any]:
        # Real-time mode takes no Python, and so no remote scorer; the trees in the job are fastest in real time.
        if values.get("trigger") == "realtime":
            return {"scoring": "embedded"} | values
        if values.get("scoring") == "embedded":
            return {"trigger": "realtime"} | values
        return values

    @field_validator("project")
    @classmethod
    def _settle_project(cls, value: str) -> str:
        return places.settled(value)

    @model_validator(mode="after")
    def _is_a_pair_that_runs(self) -> Self:
        if self.trigger == "realtime" and self.scoring == "remote":
            raise ValueError(
                "FRAUDSTREAM_TRIGGER=realtime scores with the model in the stream job: set "
                "FRAUDSTREAM_SCORING=embedded, or take FRAUDSTREAM_TRIGGER=microbatch for remote scoring"
            )
        return self

    @property
    def further_parts(self) -> list[str]:
        """The names in ``with_parts``, whether or not there are such parts."""
        return self.with_parts.replace(",", " ").split()

    def model_post_init(self, _context: Any, /) -> None:
        """Whoever has read the settings does not repeat their secrets."""
        register(secrets_of(type(self).model_fields, {name: getattr(self, name) for name in type(self).model_fields}))


# What `--realtime` and `--remote` stand for.
REALTIME = {"trigger": "realtime", "scoring": "embedded"}
REMOTE = {"trigger": "microbatch", "scoring": "remote"}


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises :class:`ConfigurationError` naming each unusable variable, and its value if no secret.

    What is refused: values of a wrong type or range, and those that :func:`malformed_values` finds.
    """
    problems = malformed_values(**overrides)
    if problems:
        raise ConfigurationError(
            f"{'; '.join(map(str, problems))}. Correct it in the environment or in .env, and where it was copied from."
        ) from None
    return validated(**overrides)


def validated(**overrides: Any) -> Settings:
    """The settings, malformed texts included. Raises :class:`ConfigurationError` for wrong types and ranges."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_problem_line(problem["loc"], problem["msg"], problem.get("input")) for problem in error.errors()]
        raise ConfigurationError(
            "; ".join(lines) + ". Correct it in the environment or in .env; `fraudstream config show` lists all."
        ) from None


def malformed_values(**overrides: Any) -> list[Malformed]:
    """The settings whose given values cannot be meant: their characters, and the form of addresses."""
    given = given_texts(Settings.model_fields) | overrides
    # What is refused may be repeated by no one, either.
    register([*secrets_of(Settings.model_fields, given), *identity_secrets()])
    problems = malformed(given) + malformed_identity(given)
    named = {problem.name for problem in problems}
    ports = {name: given.get(name, field.default) for name, field in Settings.model_fields.items()}
    whole = {name: with_ports(name, plain(value), ports) for name, value in given.items() if name not in named}
    return problems + malformed_addresses(whole)


def value_sources() -> dict[str, str]:
    """Which source gives each setting now: ``environment``, ``.env``, ``profile <name>`` or ``default``."""
    environment, dotenv = EnvSettingsSource(Settings)(), DotEnvSource(Settings)()
    profile = str({"profile": "local", **dotenv, **environment}["profile"])
    from_file = profile_values(profile) if profile in get_args(Profile) else {}
    layers = (("environment", environment), (".env", dotenv), (f"profile {profile}", from_file))
    return {
        name: next((label for label, values in layers if name in values), "default") for name in Settings.model_fields
    }


def shown_values(settings: Settings) -> dict[str, Any]:
    """The settings as one flat JSON-ready object, with secrets masked."""
    return {name: _shown(getattr(settings, name)) for name in Settings.model_fields}


def revealed_values(settings: Settings) -> dict[str, Any]:
    """The settings as a JSON-ready object with secrets in clear, for our own child processes and workers only."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {
        name: value.get_secret_value()
        if isinstance(value, SecretStr)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in values.items()
    }


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        is_store_address = secret.startswith(("mongodb://", "mongodb+srv://"))
        return redact(mask_uri(secret)) if is_store_address else "********" * bool(secret)
    if isinstance(value, Path):
        return str(value)
    return redact(mask_uri(value)) if isinstance(value, str) else value


def _problem_line(place: tuple[int | str, ...], message: str, value: Any) -> str:
    if not place:
        # About several settings together: the message names them, and the value would be all settings there are.
        return message.removeprefix("Value error, ")
    name = str(place[0])
    field = Settings.model_fields.get(name)
    shown = "********" if field is not None and field.annotation is SecretStr else redact(repr(value))
    return f"{ENV_PREFIX}{'.'.join(map(str, place)).upper()}: {message} (is {shown})"
