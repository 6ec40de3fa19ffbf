"""The file `.env` in the working folder: ``NAME=value`` lines, read literally.

No value is interpolated: ``$`` and ``${…}`` stand for themselves, as they occur in keys and passwords. Quotes around a
value are taken off, and within double ones a backslash escapes itself, a quote or a letter such as ``n``; after an
unquoted one a space and ``#`` begin a comment. UTF-8 and UTF-16 are read, with a byte order mark or without, whatever
ends the lines.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from fraudstream.core.errors import ConfigurationError

DOTENV = Path(".env")
# Another shell's line, such as `$env:NAME = "value"`, has a name as well.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
MOST_BYTES = 1024 * 1024

# UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class DotEnv:
    """``values``: name as it is written → value; ``ignored``: a sentence for each thing that is not read."""

    values: dict[str, str]
    ignored: tuple[str, ...] = ()


def read_dotenv(path: Path = DOTENV) -> DotEnv:
    """The file's values; none where there is no file.

    Raises :class:`ConfigurationError` where the file is there and cannot be read for what it says: no permission, a
    pipe, more than a megabyte, an encoding other than UTF-8 and UTF-16.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise _unusable(path, "is a link to nothing", "Make the file, or remove the link") from None
        return DotEnv({})
    except OSError as error:
        raise _unusable(path, f"cannot be looked at ({error.strerror})", "Make it a readable file") from None
    if stat.S_ISDIR(status.st_mode):
        # Some keep a Python environment under that name, and a container engine makes a folder of a missing mount.
        return DotEnv({}, (f"{path} is a folder: no setting is read from it.",))
    if not stat.S_ISREG(status.st_mode):
        if path.samefile(os.devnull):
            return DotEnv({})
        raise _unusable(path, "is a pipe or device, no file", "Put the values into a file, or into the environment")
    if status.st_size > MOST_BYTES:
        raise _unusable(path, f"has {status.st_size:,} bytes", f"It may have {MOST_BYTES:,}: it should hold settings")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})", "Make it readable for this user") from None
    return _parsed(path, _decoded(path, data))


def _decoded(path: Path, data: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "") or _without_mark(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unusable(
            path,
            f"is not in {error.encoding.upper()} (line {line})",
            "Save it as UTF-8, without or with a byte order mark",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _unusable(path, f"is no text (a zero byte in line {line})", "Save it as UTF-8")
    return text.removeprefix("\ufeff")


def _without_mark(data: bytes) -> str:
    """UTF-16 tells itself by the zero byte beside each Latin letter; everything else has to be UTF-8."""
    zeros = (data[::2].count(0), data[1::2].count(0))
    letters = len(data) // 2
    if letters and zeros[1] > letters // 2 > zeros[0]:
        return "utf-16-le"
    if letters and zeros[0] > letters // 2 > zeros[1]:
        return "utf-16-be"
    return "utf-8"


def _parsed(path: Path, text: str) -> DotEnv:
    values: dict[str, str] = {}
    ignored: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and (binding.value is None or not _NAME.fullmatch(binding.key))):
            # Not the line itself: it may hold half a secret.
            ignored.append(f"Line {binding.original.line} of {path} is no NAME=value and is not read.")
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return DotEnv(values, tuple(ignored))


def _unusable(path: Path, problem: str, advice: str) -> ConfigurationError:
    return ConfigurationError(f"{path} in {Path.cwd()} {problem}. {advice}.")
