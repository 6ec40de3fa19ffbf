"""No text that leaves the process holds a secret that it knows, in any form in which clients repeat it."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import httpx
import pymongo
import pytest
import requests
import structlog
from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from fraudstream.core import registry
from fraudstream.core.configuration.settings import Settings, load_settings, validated
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import ConfigurationError, FraudstreamError, ScoringUnavailable
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.output.redaction import MASK, Secrets, redact
from tests.azure import AZURE, CONNECTION_STRING, COSMOS_KEY, SAS_KEY

pytestmark = pytest.mark.timeless

# What nobody would write by chance.
SECRET = "qX7/pL+9zR==wN4$vB2\\k"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "escaped by repr": lambda secret: repr(f"Bearer {secret}\n"),
    "bytes": lambda secret: repr(f"Bearer {secret}\n".encode()),
    "JSON": lambda secret: json.dumps({"key": secret}),
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"key": secret})),
    "a repr in JSON": lambda secret: json.dumps(repr(secret)),
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded but for slashes": quote,
    "a form's": quote_plus,
    "percent-encoded in small letters": lambda secret: (
        quote(secret, safe="").replace("%2F", "%2f").replace("%3D", "%3d")
    ),
    "JAAS": lambda secret: f'required username="u" password="{secret.replace(chr(92), chr(92) * 2)}";',
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "HTTP's Basic": lambda secret: base64.b64encode(f"ana:{secret}".encode()).decode(),
    "SASL's PLAIN": lambda secret: base64.b64encode(f"\0ana\0{secret}".encode()).decode(),
    "in an address": lambda secret: f"https://ana:{secret}@host/",
    "its beginning": lambda secret: f"input_value='{secret[:11]}...",
    "its end": lambda secret: f"...{secret[-11:]}'",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_found_in_every_form(form: Callable[[str], str]) -> None:
    known = Secrets()
    known.add(SECRET, "ana")
    text = known.redact(f"refused: {form(SECRET)} (again)")
    assert MASK in text
    assert text.startswith("refused: ")
    for piece in (SECRET[:8], SECRET[-8:], quote(SECRET, safe="")[:10], form(SECRET)[:200].strip("\"'")):
        assert piece not in text


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " ", "\t", "\0", "\ufeff"])
def test_a_malformed_secret_is_found_without_what_is_wrong_with_it(end: str) -> None:
    known = Secrets()
    known.add(f"s3cret{end}")
    assert "s3cret" not in known.redact(f"Illegal header value {f'Bearer s3cret{end}'.encode()!r}, and s3cret alone")


def test_a_decoded_key_is_found_where_the_setting_holds_it_encoded() -> None:
    load_settings(**AZURE)
    for text in (COSMOS_KEY, quote_plus(COSMOS_KEY), SAS_KEY, CONNECTION_STRING):
        assert COSMOS_KEY[:12] not in redact(f"failed with {text}!")
        assert SAS_KEY[:12] not in redact(f"failed with {text}!")
    # What is no secret stays: it says which address is meant.
    assert "account.mongo.cosmos.azure.com:10255" in redact(f"cannot reach {AZURE['mongo_uri']}")
    assert redact("space.servicebus.windows.net") == "space.servicebus.windows.net"


def test_short_secrets_do_not_black_out_the_logs() -> None:
    known = Secrets()
    for secret in ("a", "in", "key", "test"):
        known.add(secret)
    assert known.redact("the latest key is in a contest, monkey") == "the latest key is in a contest, monkey"
    assert known.redact("refused: test, 'test\\n'") == f"refused: {MASK}, '{MASK}\\n'"
    # Too short to be looked for, but where a secret stands it is none the less one.
    assert known.redact("b'Bearer in' and http://ana:a@host/") == f"b'Bearer {MASK}' and http://ana:{MASK}@host/"


@pytest.mark.parametrize(
    "text",
    [
        "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=unknown+key=;EntityPath=x",
        'LoginModule required username="u" password="unknown key";',
        "{'Authorization': 'Bearer unknown.key'}",
        "mongodb://u:unknown key@host".replace(" ", ""),
        "SharedAccessSignature sr=h&sig=unknown%2Bkey&se=1",
        "token-eyJunknown01.unknown0123.unknown",
    ],
)
def test_what_stands_in_a_secrets_place_is_one(text: str) -> None:
    assert "unknown" not in Secrets().redact(text)
    assert MASK in Secrets().redact(text)


def test_other_texts_stay_as_they_are() -> None:
    load_settings(**AZURE)
    for text in (
        "Kafka at 127.0.0.1:9092 does not answer (KafkaTimeoutError: 60 s).",
        "mongodb://host:27017/?appName=@name@",
        "FRAUDSTREAM_SCORING_KEY is empty",
        'amount: got the text "x"',
        "/work/basic training/bearer.py",
    ):
        assert redact(text) == text


def test_an_error_of_ours_repeats_no_secret() -> None:
    load_settings(scoring_key=SECRET)
    error = ScoringUnavailable(f"Illegal header value {f'Bearer {SECRET}'.encode()!r}", 3)
    assert str(error) == str(("Illegal header value b'Bearer ********'", 3))
    assert error.args[1] == 3


@pytest.mark.parametrize("logger", ["ours", "library"])
def test_a_log_line_holds_no_secret_in_text_field_traceback_or_chain(
    capsys: pytest.CaptureFixture[str], logger: str
) -> None:
    load_settings(scoring_key=SECRET)
    configure_logging("stream")
    try:
        try:
            raise ValueError(f"header {SECRET!r}")
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        if logger == "ours":
            structlog.get_logger().exception(
                f"with {SECRET}", key=[{"deep": SECRET}], error=error, data=SECRET.encode()
            )
        else:
            logging.getLogger("pymongo").exception("with %s and %s", SECRET, {"deep": SECRET})
    said = capsys.readouterr().err
    assert json.loads(said)["exception"]
    assert "header" in said
    for form in (SECRET, repr(SECRET)[1:-1], json.dumps(SECRET)[1:-1], json.dumps(repr(SECRET))[1:-1], SECRET[:8]):
        assert form not in said


def test_a_library_with_a_handler_of_its_own_logs_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    load_settings(scoring_key=SECRET)
    library, handler = logging.getLogger("elsewhere"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    library.addHandler(handler)
    try:
        raise ValueError(SECRET)
    except ValueError:
        library.exception("failed with %r", SECRET)
    finally:
        library.removeHandler(handler)
    said = capsys.readouterr().err
    assert "failed with" in said
    assert "ValueError" in said
    assert "qX7" not in said


CRASHES = {
    "uncaught": "raise ValueError(key)",
    "a thread": "import threading; t = threading.Thread(target=lambda: int(key)); t.start(); t.join()",
    "unraisable": "class Ends:\n    def __del__(self): raise ValueError(key)\nEnds()",
    "the last resort of logging": "import logging; logging.getLogger('x').error('failed: %s', key)",
    "in a chain": "try:\n    int(key)\nexcept ValueError as e:\n    raise RuntimeError('outer') from e",
}


@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
def test_a_process_that_crashes_shows_no_secret(crash: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", SECRET)
    known = (
        "from fraudstream.core.configuration.settings import load_settings\n"
        "key = load_settings().scoring_key.get_secret_value()"
    )
    script = f"{known}\n{crash}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert MASK in done.stderr
    assert "qX7" not in done.stderr + done.stdout


# Each secret in each form in which it is mistaken, and what its client says of it.
MISTAKES: dict[str, Callable[[str], str]] = {
    "newline": lambda secret: f"{secret}\n",
    "carriage return": lambda secret: f"{secret}\r\n",
    "tab": lambda secret: f"\t{secret}",
    "zero byte": lambda secret: f"{secret[:9]}\0{secret[9:]}",
    "byte order mark": lambda secret: f"\ufeff{secret}",
    "zero width": lambda secret: f"{secret}\u200b",
    "no-break space": lambda secret: f"{secret}\u00a0",
    "quotes": lambda secret: f"'{secret}'",
    "line break inside": lambda secret: f"{secret[:12]}\n{secret[12:]}",
    "not UTF-8": lambda secret: f"{secret}\udcfc",
}
SECRET_FIELDS = ["kafka_sasl_password", "kafka_oauth_client_secret", "mongo_uri", "scoring_key", "dashboard_password"]
ADDRESSES = ["kafka_bootstrap_servers", "mlflow_tracking_uri", "scoring_url"]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("name", SECRET_FIELDS + ADDRESSES)
def test_a_malformed_secret_is_refused_by_its_variables_name(name: str, mistake: Callable[[str], str]) -> None:
    value = mistake(AZURE.get(name, SECRET))
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**(AZURE | {name: value}))
    assert str(caught.value).startswith(f"FRAUDSTREAM_{name.upper()} ")
    assert caught.value.exit_status == 2
    assert value.strip() not in str(caught.value)
    for key in (SAS_KEY[:10], COSMOS_KEY[:10], SECRET[:8]):
        assert key not in str(caught.value)


def calls(name: str, settings: Settings) -> Any:
    """What the client that gets this secret does first, as it is called without a check before it."""
    if name == "scoring_key":
        with httpx.Client(headers={"Authorization": f"Bearer {settings.scoring_key.get_secret_value()}"}) as client:
            return client.post("http://127.0.0.1:9/score")
    if name == "mongo_uri":
        return pymongo.MongoClient(settings.mongo_uri.get_secret_value(), serverSelectionTimeoutMS=1).admin.command(
            "ping"
        )
    if name in ("kafka_sasl_password", "kafka_bootstrap_servers"):
        return kafka.consumer(settings, "scored", api_version_auto_timeout_ms=100, bootstrap_timeout_ms=200)
    if name == "mlflow_tracking_uri":
        return requests.get(settings.mlflow_tracking_uri, timeout=1)
    if name == "scoring_url":
        with httpx.Client(base_url=settings.scoring_url) as client:
            return client.get("/health")
    address = f"http://{settings.dashboard_user}:{settings.dashboard_password.get_secret_value()}@127.0.0.1:9/"
    return requests.get(address, headers={"X-Key": settings.dashboard_password.get_secret_value()}, timeout=1)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("name", ["scoring_key", "mongo_uri", "kafka_sasl_password", "dashboard_password", *ADDRESSES])
def test_no_client_that_was_given_a_malformed_secret_carries_it_into_a_log(
    name: str, mistake: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    near = {
        "mongo_uri": f"mongodb://account:{quote_plus(COSMOS_KEY)}@127.0.0.1:9/?ssl=true",
        "mlflow_tracking_uri": f"http://ana:{SAS_KEY}@127.0.0.1:9",
        "scoring_url": f"http://ana:{SAS_KEY}@127.0.0.1:9",
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "dashboard_password": SAS_KEY,
    }
    values = AZURE | {"kafka_bootstrap_servers": "127.0.0.1:9", "kafka_security_protocol": "SASL_PLAINTEXT"} | near
    settings = validated(**(values | {name: mistake(values[name])}))
    configure_logging("stream", "DEBUG")
    for library in ("kafka", "pymongo", "httpx", "httpcore", "urllib3"):
        logging.getLogger(library).setLevel(logging.DEBUG)
    try:
        calls(name, settings)
    except Exception as error:
        structlog.get_logger().exception("failed", reason=f"{type(error).__name__}: {error}")
        assert_hidden(str(FraudstreamError(f"{type(error).__name__}: {error}")))
    said = capsys.readouterr()
    assert_hidden(said.out + said.err)


def assert_hidden(text: str) -> None:
    keys = [SAS_KEY, COSMOS_KEY, quote_plus(COSMOS_KEY), AZURE["scoring_key"]]
    for key in keys:
        for piece in (key, key[:10], key[-10:], json.dumps(repr(key))[1:-1], unquote(key)):
            assert piece not in text


def test_our_own_errors_about_clients_hide_what_the_client_says() -> None:
    settings = load_settings(**AZURE)
    for error in (
        documents.unavailable(PyMongoError(f"no login with {COSMOS_KEY}"), AZURE["mongo_uri"]),
        registry.registry_error(settings, ValueError(f"Invalid header {SAS_KEY}")),
        kafka.unavailable(settings, KafkaError(f"SASL failed for {CONNECTION_STRING}")),
    ):
        assert_hidden(str(error))


def test_warnings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", SECRET)
    script = (
        "import warnings\nfrom fraudstream.core.configuration.settings import load_settings\n"
        "warnings.warn('unverified request with ' + load_settings().scoring_key.get_secret_value())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "unverified request" in done.stderr
    assert "qX7" not in done.stderr


def test_many_threads_may_register_and_redact() -> None:
    known = Secrets()
    names = [f"secret-number-{number:03}-{'x' * 8}" for number in range(40)]
    threads = [threading.Thread(target=known.add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert known.redact(" ".join(names)) == " ".join([MASK] * len(names))


def test_a_traceback_that_others_write_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Spark's Python workers do, whose text the JVM then logs."""
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", SECRET)
    script = (
        "import io, sys, traceback\nfrom fraudstream.core.configuration.settings import load_settings\n"
        "from pyspark.util import handle_worker_exception\nkey = load_settings().scoring_key.get_secret_value()\n"
        "try:\n    int(key)\nexcept ValueError as error:\n    traceback.print_exc()\n    sent = io.BytesIO()\n"
        "    handle_worker_exception(error, sent)\n    sys.stdout.buffer.write(sent.getvalue())\n"
        "    sys.stdout.write(''.join(traceback.format_exception_only(error)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert done.stderr.count(b"ValueError") == 1
    assert done.stdout.count(b"ValueError") == 2
    assert b"qX7" not in done.stderr + done.stdout


@pytest.mark.parametrize("rest", ["", ";EntityPath=scored"])
def test_a_key_that_lost_its_name_is_found_in_its_string_and_alone(rest: str) -> None:
    known = Secrets()
    known.add(f"Endpoint=sb://space.servicebus.windows.net/;SharedAccessKeyName=Root;{SAS_KEY}{rest}")
    assert SAS_KEY[:8] not in known.redact(f"the part {SAS_KEY} is unknown")
    assert known.redact("space.servicebus.windows.net, Root, scored") == "space.servicebus.windows.net, Root, scored"


@pytest.mark.parametrize("key", [quote_plus(COSMOS_KEY), COSMOS_KEY.replace("/", "x"), SAS_KEY.rstrip("=") + "aB3"])
def test_a_key_in_the_user_s_place_is_one(key: str) -> None:
    load_settings(profile="local", mongo_uri=f"mongodb://{key}:account@account.mongo.cosmos.azure.com:10255/")
    assert unquote(key)[:12] not in redact(f"no login as {unquote(key)}, {key}")


def test_the_secrets_of_an_identity_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{SECRET}\n")
    monkeypatch.setenv("AZURE_CLIENT_ID", "app")
    load_settings()
    for text in (SECRET, f"client_secret={quote(SECRET)}", base64.b64encode(f"app:{SECRET}".encode()).decode()):
        assert redact(f"refused {text}") in (f"refused {MASK}", f"refused client_secret={MASK}")


def test_what_has_to_be_exact_loses_only_what_is_ours() -> None:
    known = Secrets()
    known.add(SECRET)
    known.add("s3cret")
    text = 'Bearer abcdef, http://ana:word@host, password="x", s3cret'
    assert known.without_known(f"{text}, {SECRET}") == f"{text}, {MASK}"
