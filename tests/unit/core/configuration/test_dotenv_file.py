"""`.env` is read literally in the encodings that editors write, or one line says why it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fraudstream.core.configuration.dotenv_file import MOST_BYTES, read_dotenv
from fraudstream.core.configuration.settings import Settings, load_settings, value_sources
from fraudstream.core.configuration.variables import unread
from fraudstream.core.errors import ConfigurationError

TEXT = "# grün\r\nFRAUDSTREAM_KAFKA_PORT=19092\r\nFRAUDSTREAM_MODEL_NAME='é'\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_encoding_of_unicode_is_read(encoding: str, end: str) -> None:
    Path(".env").write_bytes(TEXT.replace("\r\n", end).encode(encoding))
    settings = load_settings()
    assert (settings.kafka_port, settings.model_name) == (19092, "é")
    assert value_sources()["kafka_port"] == ".env"


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\xff\xfe"])
def test_utf_16_is_read_by_its_mark(mark: bytes) -> None:
    order = "utf-16-be" if mark == b"\xfe\xff" else "utf-16-le"
    Path(".env").write_bytes(mark + "FRAUDSTREAM_KAFKA_PORT=19092".encode(order))
    assert load_settings().kafka_port == 19092


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("# ü\nFRAUDSTREAM_KAFKA_PORT=1".encode("latin-1"), r"is not in UTF-8 \(line 1\)\. Save it as UTF-8"),
        ("A=1\nB=“x”".encode("cp1252"), r"is not in UTF-8 \(line 2\)"),
        (TEXT.encode("utf-16")[:-1], r"is not in UTF-16"),
        (b"FRAUDSTREAM_KAFKA_PORT=1\n\0\0\n", r"is no text \(a zero byte in line 2\)"),
        (b"A" * (MOST_BYTES + 1), "has 1,048,577 bytes"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file(content: bytes, says: str) -> None:
    Path(".env").write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"^\.env in .*{says}") as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def pipe() -> None:
    os.mkfifo(".env")


def link() -> None:
    Path(".env").symlink_to("nowhere")


def circle() -> None:
    Path(".env").symlink_to(".env")


@pytest.mark.parametrize(
    ("make", "says"),
    [(pipe, "is a pipe or device"), (link, "is a link to nothing"), (circle, "cannot be looked at")],
)
def test_what_is_no_file_is_refused(make: Callable[[], None], says: str) -> None:
    make()
    with pytest.raises(ConfigurationError, match=rf"^\.env in .*{says}"):
        load_settings()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become somebody else")
def test_a_file_that_is_not_ours_to_read_is_named(tmp_path: Path) -> None:
    """Root reads everything: somebody else asks."""
    Path(".env").write_text("FRAUDSTREAM_KAFKA_PORT=19092\n")
    Path(".env").chmod(0)
    script = (
        "from fraudstream.core.configuration.dotenv_file import read_dotenv\n"
        "from fraudstream.core.errors import ConfigurationError\n"
        "import os, sys\nos.setuid(65534)\n"
        "try:\n    read_dotenv()\nexcept ConfigurationError as error:\n    sys.stderr.write(str(error))"
    )
    for folder in (Path.cwd(), *Path.cwd().parents):
        if "pytest-" in str(folder):
            folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "cannot be read (Permission denied). Make it readable for this user." in done.stderr


def test_without_a_file_nothing_is_read() -> None:
    assert read_dotenv().values == {}
    Path(".env").symlink_to(os.devnull)
    assert read_dotenv().values == {}


def test_a_folder_of_that_name_is_told_and_passed_over() -> None:
    Path(".env").mkdir()
    assert load_settings().kafka_port == 9092
    assert read_dotenv().ignored == (".env is a folder: no setting is read from it.",)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a${b}c", "a${b}c"),
        ("$ConnectionString", "$ConnectionString"),
        ("${HOME}", "${HOME}"),
        ("a$b$$c", "a$b$$c"),
        ('"p#q$r${HOME}"', "p#q$r${HOME}"),
        ("'p#q$r'", "p#q$r"),
        ("p#q", "p#q"),
        ("word # a comment", "word"),
        ("  spaces  ", "spaces"),
        ("a=b;c==", "a=b;c=="),
        ("`word", "`word"),
    ],
)
def test_values_are_literal(line: str, value: str) -> None:
    Path(".env").write_text(f"FRAUDSTREAM_SCORING_KEY={line}\nHOME=elsewhere\nb=B\n", "utf-8")
    assert load_settings().scoring_key.get_secret_value() == value


def test_a_line_that_is_none_is_told_by_its_number_and_not_repeated() -> None:
    Path(".env").write_text("FRAUDSTREAM_KAFKA_PORT=1\nhush hush\nFRAUDSTREAM_SCORING_KEY\n\n# x\nexport A = 1\n")
    read = read_dotenv()
    assert read.values == {"FRAUDSTREAM_KAFKA_PORT": "1", "A": "1"}
    assert read.ignored == tuple(f"Line {number} of .env is no NAME=value and is not read." for number in (2, 3))


def test_no_file_may_be_asked_for() -> None:
    Path(".env").write_text("FRAUDSTREAM_KAFKA_PORT=1\n")
    assert Settings(_env_file=None).kafka_port == 9092


@pytest.mark.parametrize("lines", [("NAME=19092", "name=19093"), ("name=19093", "NAME=19092")])
def test_capitals_win_in_whatever_order_the_lines_stand(
    lines: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(lines).replace("NAME", "FRAUDSTREAM_KAFKA_PORT").replace("name", "fraudstream_kafka_port")
    Path(".env").write_text(text)
    assert load_settings().kafka_port == 19092
    (notice,) = unread({})
    assert notice.text == (
        "fraudstream_kafka_port has no effect: FRAUDSTREAM_KAFKA_PORT is set as well, to something else. "
        "Unset one of them."
    )


def test_the_same_value_under_both_spellings_is_no_contradiction() -> None:
    Path(".env").write_text("\n".join(("FRAUDSTREAM_KAFKA_PORT=19092", "fraudstream_kafka_port=19092")))
    assert load_settings().kafka_port == 19092
    assert unread({}) == []


@pytest.mark.parametrize(
    "line",
    [
        '$env:FRAUDSTREAM_KAFKA_PORT = "19092"',
        "${env:FRAUDSTREAM_KAFKA_PORT}=19092",
        "{FRAUDSTREAM_KAFKA_PORT}=19092",
        "@FRAUDSTREAM_KAFKA_PORT=19092",
        "%FRAUDSTREAM_KAFKA_PORT%=19092",
    ],
)
def test_a_line_of_another_shell_is_told(line: str) -> None:
    Path(".env").write_text(f"# a comment\n{line}\n")
    assert load_settings().kafka_port == 9092
    assert [notice.text for notice in unread({})] == ["Line 2 of .env is no NAME=value and is not read."]


def test_a_ports_name_in_braces_is_filled_in_in_addresses_alone() -> None:
    Path(".env").write_text(
        "FRAUDSTREAM_KAFKA_PORT=19092\nFRAUDSTREAM_SCORING_KEY=abcdefgh{kafka_port}x\n"
        "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=broker:{kafka_port}\nFRAUDSTREAM_MODEL_NAME={scoring_port}\n"
    )
    settings = load_settings()
    assert settings.scoring_key is not None
    assert settings.scoring_key.get_secret_value() == "abcdefgh{kafka_port}x"
    assert settings.kafka_bootstrap_servers == "broker:19092"
    assert settings.model_name == "{scoring_port}"


def test_a_backslash_within_double_quotes_escapes_what_follows() -> None:
    Path(".env").write_text('A="ab\\\\cd\\"ef"\nB=\'ab\\cd\'\nC=ab\\cd\n')
    assert read_dotenv().values == {"A": 'ab\\cd"ef', "B": "ab\\cd", "C": "ab\\cd"}
