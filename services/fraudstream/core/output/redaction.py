"""The secrets that this process knows, and texts without them.

Clients repeat what they were given: an HTTP client the header that it refuses, a driver the address that it cannot
read. The code that loads settings registers their secrets here, and every text that leaves the process as an error, a
log line or a traceback passes :func:`redact`: our errors when they are created, log records and uncaught exceptions
through the hooks that the first registration installs.

A secret is found in each form in which clients repeat it (escaped, percent-encoded, in base64 with its user, cut off).
A secret of fewer than eight characters is found as a whole word only, and one of fewer than four characters only in a
secret's place (after ``Bearer``, in an address, after ``password=``): it would otherwise be found in many words.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from fraudstream.core.output.credentials import ADDRESS, without_credentials
from fraudstream.core.output.credentials import MASK as MASK

LEAST_CHARACTERS = 4
_WORD_CHARACTERS = 8
# A text that was cut shows a secret's beginning or end: so much of it tells that it is one, where the whole is twice as
# long, and is rare enough in other texts.
_CUT_CHARACTERS = 8

# A place, what a text has to hold for it to be looked for, and what it becomes.
_PLACES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("@", ADDRESS, without_credentials),
    (
        "=",
        re.compile(r"(?i)\b(SharedAccessKey|AccountKey|tlsCertificateKeyFilePassword)(\s*=\s*)[^\s;&\"'\\]+"),
        rf"\1\2{MASK}",
    ),
    (
        '"',
        re.compile(r"(?i)((?:password|secret|passwd))(=)(\\?\")(?:\\.|[^\"\\])*\"?"),
        rf'\1\2"{MASK}"',
    ),
    ("Bearer", re.compile(r"\b(Bearer\s+)(?!\*)[\w+/=~.-]{2,}"), rf"\1{MASK}"),
    ("asic ", re.compile(r"(?i)(authorization\W{1,6}basic\s+)(?!\*)[\w+/=~.-]{2,}"), rf"\1{MASK}"),
    ("SharedAccessSignature", re.compile(r"SharedAccessSignature\s+[^\s\"']+"), f"SharedAccessSignature {MASK}"),
    # A row of signs is gone through once, however many beginnings of a token it has.
    (
        "eyJ",
        re.compile(r"(?<![\w-])((?>[\w-]*?(?=\beyJ)))eyJ[\w-]{8,}+\.[\w-]{8,}(?:\.[\w-]*)?"),
        rf"\1{MASK}",
    ),
)
_URI = re.compile(r"^[\w+.-]+://(?P<user>[^:/?@]*):(?P<password>.*)@[^@/?]+(?:[/?]|$)", re.S)
# Without a password the user may be a key; a shorter one is a name, such as this product's, that every other text has.
_KEY = re.compile(rf"^[\w+.-]+://(?P<user>[^:/?@]{{{2 * _CUT_CHARACTERS},}}):?@[^@/?]+(?:[/?]|$)")
_NAMED = re.compile(r"(?i)((?:^|[;?&])[^=;?&]*(?:key|password|secret|token|sig|code)=)([^;&]+)")
# A key whose name is lost, among the parts of a connection string.
_UNNAMED = re.compile(rf"(?:^|;)\s*([A-Za-z0-9+/]{{{2 * _CUT_CHARACTERS},}}={{0,2}})\s*(?=;|$)")
# In the user's place: no account's name is as long, or ends as base64 does.
_KEY_AS_USER = re.compile(r"[\w+/-]{20,}={1,2}|[\w+/=-]{45,}")


class Secrets:
    """Known secrets; :meth:`redact` replaces each by asterisks. Safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()
        self._long: tuple[str, ...] = ()
        self._words: re.Pattern[str] | None = None
        self._cut: tuple[str, ...] = ()

    def add(self, secret: str, user: str = "") -> None:
        """Redact this secret from now on; ``user`` is the name that clients join it with when they sign in."""
        with self._lock:
            if not secret.strip() or (secret, user) in self._known:
                return
            self._known.add((secret, user))
            atoms = {atom for known, _ in self._known for atom in atoms_of(known)}
            forms = {form for atom in atoms for form in spellings(atom)}
            forms |= {form for known, user in self._known if user for form in _signed_in(user, known)}
            longest_first = sorted(forms, key=lambda form: (-len(form), form))
            self._long = tuple(form for form in longest_first if len(form) >= _WORD_CHARACTERS)
            words = [form for form in longest_first if LEAST_CHARACTERS <= len(form) < _WORD_CHARACTERS]
            anyone = "|".join(map(re.escape, words))
            self._words = re.compile(rf"(?<![^\W_])(?:{anyone})(?![^\W_])") if words else None
            plain = {form for atom in atoms if not parts_of(atom) for form in (atom, quote(_encoded(atom), safe=""))}
            self._cut = tuple(sorted(form for form in plain if len(form) >= 2 * _CUT_CHARACTERS))

    def without_known(self, text: str) -> str:
        """The text without the secrets of eight characters and more; every other text stays exactly as it is."""
        for form in self._long:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def redact(self, text: str) -> str:
        """The text without the registered secrets, and without what stands in the places of secrets."""
        text = self.without_known(text)
        if self._words is not None:
            text = self._words.sub(MASK, text)
        for form in self._cut:
            if form[:_CUT_CHARACTERS] in text or form[-_CUT_CHARACTERS:] in text:
                text = _without_pieces(text, form)
        for sign, pattern, masked in _PLACES:
            if sign in text:
                text = pattern.sub(masked, text)
        return text


KNOWN = Secrets()


def register(secrets: Iterable[tuple[str, str]]) -> None:
    """Redact these secrets, each with its user (or an empty text), in all texts that leave this process."""
    for secret, user in secrets:
        KNOWN.add(secret, user)
    _install_hooks()


def redact(text: str) -> str:
    """The text without any secret that this process knows."""
    return KNOWN.redact(text)


def without_known(text: str) -> str:
    """The text without this process's longer secrets, for a text that has to stay exact otherwise."""
    return KNOWN.without_known(text)


def redacted(value: Any) -> Any:
    """A value of a log event, its texts redacted at any depth; what JSON does not have becomes a text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(name)): redacted(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    return redact(str(value))


def mask_uri(uri: str) -> str:
    """Replace the passwords in a ``scheme://user:password@host/?options`` address, or its user without one."""
    return _NAMED.sub(rf"\1{MASK}", ADDRESS.sub(without_credentials, uri))


def atoms_of(secret: str) -> set[str]:
    """What is secret in a secret: the whole, the whole without its invisible characters, and its parts."""
    visible = "".join(character if character.isprintable() else "\n" for character in secret).strip(" \n\"'")
    pieces = {piece for piece in visible.split("\n") if len(piece) >= _WORD_CHARACTERS}
    return {atom for atom in (secret, visible, *pieces, *parts_of(secret), *parts_of(visible)) if atom.strip()}


def parts_of(text: str) -> set[str]:
    """What is secret in a connection string or an address: the values of its keys, and its password."""
    parts = {secret.strip() for _, secret in _NAMED.findall(text)}
    if ";" in text:
        parts |= set(_UNNAMED.findall(text))
    if address := _URI.match(text):
        # A driver that takes an unescaped character for the password's end shows the rest of it as host, port or path.
        password = address["password"]
        parts |= {password, *(piece for piece in re.split(r"[/@:?#&=]", password) if len(piece) >= _WORD_CHARACTERS)}
        if _KEY_AS_USER.fullmatch(unquote(address["user"])):
            parts.add(address["user"])
    if address := _KEY.match(text):
        parts.add(address["user"])
    return {part for part in parts if part.strip()}


@lru_cache(maxsize=256)
def spellings(secret: str) -> frozenset[str]:
    """The forms in which clients and formats repeat a secret."""
    plain = {secret, secret.strip()}
    plain |= {decode(spelling) for spelling in tuple(plain) for decode in (unquote, unquote_plus)}
    forms: set[str] = set()
    for spelling in plain:
        data = _encoded(spelling)
        escaped = {
            repr(spelling)[1:-1],
            repr(data)[2:-1],
            json.dumps(spelling)[1:-1],
            json.dumps(spelling, ensure_ascii=False)[1:-1],
        }
        escaped |= {json.dumps(form)[1:-1] for form in escaped}
        percent = {quote(data, safe=""), quote(data), quote_plus(data)}
        percent |= {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in percent}
        jaas = spelling.replace("\\", "\\\\").replace('"', '\\"')
        forms |= {spelling, jaas, html.escape(spelling), base64.b64encode(data).decode(), *escaped, *percent}
    return frozenset(form for form in forms if len(form) >= LEAST_CHARACTERS)


def _signed_in(user: str, secret: str) -> set[str]:
    """User and secret as HTTP's Basic and SASL's PLAIN join them, in base64."""
    pairs = {f"{user}:{spelling}" for spelling in (secret, secret.strip(), unquote(secret))}
    pairs |= {f"\0{user}\0{spelling}" for spelling in (secret, secret.strip(), unquote(secret))}
    return {base64.b64encode(_encoded(pair)).decode() for pair in pairs}


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _without_pieces(text: str, secret: str) -> str:
    """The text without the secret's beginnings and ends of eight characters and more."""
    for head in (True, False):
        piece = secret[:_CUT_CHARACTERS] if head else secret[-_CUT_CHARACTERS:]
        kept, behind, at = [], 0, text.find(piece)
        while at >= 0:
            start, end, length = at, at + _CUT_CHARACTERS, _CUT_CHARACTERS
            if head:
                while length < len(secret) and text[end : end + 1] == secret[length]:
                    end, length = end + 1, length + 1
            else:
                while length < len(secret) and start > behind and text[start - 1] == secret[-length - 1]:
                    start, length = start - 1, length + 1
            kept += [text[behind:start], MASK]
            behind, at = end, text.find(piece, end)
        text = "".join([*kept, text[behind:]])
    return text


def _redact_tracebacks() -> None:
    """Redact all tracebacks: Python, logging and Spark's workers make theirs with these two methods."""
    whole, last = traceback.TracebackException.format, traceback.TracebackException.format_exception_only

    def format_whole(self: traceback.TracebackException, **options: Any) -> Iterator[str]:
        return map(redact, whole(self, **options))

    def format_last(self: traceback.TracebackException, **options: Any) -> Iterator[str]:
        return map(redact, last(self, **options))

    traceback.TracebackException.format = format_whole  # type: ignore[assignment, method-assign]
    traceback.TracebackException.format_exception_only = format_last  # type: ignore[assignment, method-assign]


@cache
def _install_hooks() -> None:
    """From here on log records of any library, warnings, tracebacks and uncaught exceptions are redacted."""
    make = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        log_record = make(*args, **kwargs)
        try:
            text = log_record.getMessage()
        except (TypeError, ValueError):  # a library's mistake, which logging itself reports
            return log_record
        if (clean := redact(text)) != text:
            log_record.msg, log_record.args = clean, None
        return log_record

    logging.setLogRecordFactory(record)
    _redact_tracebacks()
    form = warnings.formatwarning
    warnings.formatwarning = lambda *args, **kwargs: redact(form(*args, **kwargs))
    uncaught, in_thread, unraisable = sys.excepthook, threading.excepthook, sys.unraisablehook

    def write_redacted(
        kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Write a traceback that holds a secret without it; False where the former hook has to write it."""
        text = "".join(traceback.format_exception(kind, error, trace)) if kind is not None and error is not None else ""
        # Python's own hooks do not ask the methods above.
        if MASK in text:
            sys.stderr.write(text)
        return MASK in text

    def on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not write_redacted(kind, error, trace):
            uncaught(kind, error, trace)

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if not write_redacted(args.exc_type, args.exc_value, args.exc_traceback):
            in_thread(args)

    def on_unraisable(args: sys.UnraisableHookArgs) -> None:
        if not write_redacted(args.exc_type, args.exc_value, args.exc_traceback):
            unraisable(args)

    sys.excepthook, threading.excepthook, sys.unraisablehook = on_uncaught, on_thread, on_unraisable
