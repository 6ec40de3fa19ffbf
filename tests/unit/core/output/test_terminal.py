"""What commands print is text: no markup, no emoji names, no escape sequences, whatever the encoding."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.terminal import say, say_json, say_lines, styled, terminal, write_file

FULL = Path("/dev/full")
ROOT = Path(__file__).resolve().parents[4]
MODULES = sorted(
    path
    for root in ("services", "generator", "ml", "dashboards", "benchmarks")
    for path in (ROOT / root / "fraudstream").rglob("*.py")
    if path.name != "terminal.py"
)
HOSTILE = "[/b] [red]gone [link=https://x]click[/link] :warning: \x1b[2J\x9b31m\u202e\r\nfraudstream: forged"
SHOWN = "[/b] [red]gone [link=https://x]click[/link] :warning: \\x1b[2J\\x9b31m\\u202e\\r\\nfraudstream: forged"


def printed(*what: object, colours: bool = False) -> str:
    file = io.StringIO()
    terminal(file=file, width=300, force_terminal=colours).print(*what)
    return file.getvalue()


def test_a_string_is_printed_as_it_was_sent() -> None:
    assert printed(HOSTILE) == f"{SHOWN}\n"


def test_a_cell_a_heading_and_a_title_are_text() -> None:
    table = Table(HOSTILE, title=HOSTILE, box=None)
    table.add_row(HOSTILE)
    assert [line.strip() for line in printed(table).splitlines()] == [SHOWN] * 3


def test_only_our_own_styles_colour() -> None:
    shown = printed(styled(("✓", "green"), f" {HOSTILE}"), colours=True)
    assert shown.replace("\x1b[32m✓\x1b[0m", "✓") == f"✓ {SHOWN}\n"


def test_a_spinner_s_line_is_text_at_first_and_later() -> None:
    file = io.StringIO()
    console = terminal(file=file, width=300, force_terminal=True)
    with console.status(HOSTILE) as line:
        console.print("between")
        line.update(f"later {HOSTILE}")
        console.print("end")
    assert file.getvalue().count(SHOWN) >= 2
    assert f"later {SHOWN}" in file.getvalue()
    assert "\x1b[2J" not in file.getvalue()


def test_plain_lines_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    say(HOSTILE, err=True)
    say_lines("\x1b[2Ja\tb\nc")
    say_json({"reason": HOSTILE})
    out, err = capsys.readouterr()
    assert err == f"{SHOWN}\n"
    first, second, third = out.splitlines()
    assert (first, second) == (SHOWN, "\\x1b[2Ja\tb")
    assert third.startswith('c{"reason":"[/b] [red]gone')
    assert third.isascii()


def test_no_secret_of_ours_gets_out_by_any_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    key = "qX7/pL+9zR==wN4"
    load_settings(scoring_key=key)
    table = Table(f"head {key}", box=None)
    table.add_row(f"cell {key}")
    shown = printed(table) + printed(f"text {key}") + printed(styled(f"part {key}", (key, "red")))
    say(f"line {key}")
    say_lines(f"lines {key}\n")
    # Exact else: what a sender wrote is not ours.
    say_json({"reason": f"error {key}", "raw": 'Bearer abcdef "http://ana:word@host"'})
    out = capsys.readouterr().out
    assert "qX7" not in shown + out
    assert (shown + out).count("********") == 8
    assert json.loads(out.splitlines()[-1]) == {
        "reason": "error ********",
        "raw": 'Bearer abcdef "http://ana:word@host"',
    }


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_no_encoding_makes_printing_fail(encoding: str) -> None:
    script = (
        "from fraudstream.core.output.terminal import *\nprepare_output()\n"
        "say('– ✓ é 🙂 \\ud800'); say('– ✓', err=True); say_json({'é': '🙂'})\n"
        "terminal().print(styled(('✓', 'green'), ' é 🙂'))"
    )
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert b'{"\\u00e9":"\\ud83d\\ude42"}' in done.stdout


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "write",
    [
        "say_json({'a': 1})",
        "say('a' * 100_000)",
        "say_lines('a\\n')",
        "terminal().print('a')",
        "typer.echo('a')",
        "print('a', flush=True)",
        "print('a' * 100_000)",
    ],
)
def test_a_full_device_is_one_error(write: str) -> None:
    script = (
        "import typer\nfrom fraudstream.core.errors import FraudstreamError\n"
        f"from fraudstream.core.output.terminal import *\nprepare_output()\ntry:\n    {write}\n"
        "except FraudstreamError as error:\n    say(str(error), err=True)"
    )
    with FULL.open("wb") as full:
        done = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, check=False)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, len(lines)) == (0, 1), lines
    assert lines[0].startswith("The output cannot be written to <stdout> (No space left on device).")


def test_a_reader_that_has_seen_enough_is_no_full_device() -> None:
    script = "from fraudstream.core.output.terminal import *\nprepare_output()\nsay_json({'a': 'b' * 1_000_000})"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert b"BrokenPipeError" in done.stderr
    assert b"cannot be written" not in done.stderr


@pytest.mark.parametrize("file", ["/dev/full", "/proc/none/report", "."])
def test_a_file_that_cannot_be_written_is_named(file: str) -> None:
    with pytest.raises(FraudstreamError, match=rf"^{file} cannot be written \(.+\)\. Name another file\.$"):
        write_file(Path(file), "text")


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_file(tmp_path / "reports" / "a.html", "é\n")
    assert (tmp_path / "reports" / "a.html").read_text("utf-8") == "é\n"


def calls(source: str) -> set[str]:
    """The names that are called, with what they belong to: ``typer.echo``, ``Console``."""
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_printed_past_the_terminal_s_one_place(path: Path) -> None:
    forbidden = {"Console", "Text", "Text.from_markup", "Text.assemble", "typer.echo", "typer.secho", "click.echo"}
    assert not calls(path.read_text("utf-8")) & forbidden
