"""Mutations of query texts: whatever a text holds, reading it gives a result or a positioned error.

A longer run than the test's, from the repository's root::

    python -m tests.asaql.fuzz --inputs 200000
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.text.parser import parse

TEXTS = Path(__file__).parent / "texts"
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_SEPARATOR = re.compile(r";\n|\n\n")
_ODD = (
    *(
        "",
        "'",
        '"',
        "[",
        "]",
        "(",
        ")",
        "((((",
        "/*",
        "*/",
        "--",
        "\x00",
        "\ufeff",
        "\u200b",
        "\u00a0",
        "\r",
        "é",
        "漢",
    ),
    *("😀", "9" * 30, "1e999", "1.", ".5", "0x1", "@", "#", "$", "==", "||", "&&", "//", ";", ",", ".", "*", "!", "~"),
    *("SELECT", "FROM", "WHERE", "GROUP BY", "OVER (", "CASE", "END", "NOT", "UNION", "WITH", "INTO", "AS", "JOIN"),
    *("CAST(", "COUNT(*)", "LIMIT DURATION(", "System.Timestamp()", "System.Window()", "PARTITION BY", "NULL", "N'x'"),
)


@dataclass
class Outcome:
    """What a run of inputs gave: ``faults`` are the inputs that gave something else than a result or a QueryError."""

    results: int = 0
    errors: int = 0
    faults: list[tuple[str, BaseException]] = field(default_factory=list)


def corpus() -> list[str]:
    """The texts that are mutated."""
    whole = [path.read_text(encoding="utf-8") for path in sorted(TEXTS.glob("*.asaql"))]
    return whole + [statement for text in whole for statement in _SEPARATOR.split(text)]


def mutations(seed: int) -> Iterator[str]:
    """Texts without end, the same for one seed."""
    chance = random.Random(seed)
    cut = [_PIECE.findall(text) for text in corpus()]
    while True:
        pieces = list(chance.choice(cut))
        if chance.random() < 0.2:
            begin = chance.randrange(len(pieces))
            pieces = pieces[begin : begin + chance.randrange(5, 120)]
            if chance.random() < 0.7:
                pieces[:0] = ["SELECT", " "]
        gently = chance.random() < 0.4
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            if gently:
                _replace(pieces, chance.randrange(len(pieces) + 1), chance, cut)
            else:
                _mutate(pieces, chance, cut)
        yield "".join(pieces)


def _mutate(pieces: list[str], chance: random.Random, cut: list[list[str]]) -> None:
    place = chance.randrange(len(pieces) + 1)
    match chance.randrange(7):
        case 0:
            del pieces[place : place + chance.randrange(1, 6)]
        case 1:
            pieces[place:place] = pieces[place : place + chance.randrange(1, 20)] * chance.randrange(1, 4)
        case 2:
            pieces.insert(place, chance.choice(_ODD))
        case 3:
            other = chance.choice(cut)
            begin = chance.randrange(len(other))
            pieces[place:place] = other[begin : begin + chance.randrange(1, 25)]
        case 4:
            pieces[place : place + 1] = [chance.choice(chance.choice(cut))]
        case 5:
            pieces[place : place + 1] = [chr(chance.randrange(0xD7FF))]
        case _:
            del pieces[place:]


def _replace(pieces: list[str], place: int, chance: random.Random, cut: list[list[str]]) -> None:
    """Put another word in a word's place, so that much of what is made still is a query."""
    for offset in range(place, len(pieces)):
        if pieces[offset].isalnum():
            pieces[offset] = chance.choice([piece for piece in chance.choice(cut) if piece.isalnum()] or ["x"])
            return


def run(call: Callable[[str], object], inputs: int, seed: int = 16) -> Outcome:
    """Hand ``inputs`` mutated texts to ``call``, and count what it gives."""
    outcome = Outcome()
    texts = mutations(seed)
    for _ in range(inputs):
        text = next(texts)
        try:
            call(text)
            outcome.results += 1
        except QueryError as error:
            if _stands_in(error, text):
                outcome.errors += 1
            else:
                outcome.faults.append((text, error))
        except Exception as error:  # whatever it is, it is what the run looks for
            outcome.faults.append((text, error))
    return outcome


def _stands_in(error: QueryError, text: str) -> bool:
    """Whether an error's place is one of the text, its end included."""
    lines = re.split(r"\r\n|\r|\n", text)
    return 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 1 and error.reason != ""


def main() -> int:
    """Run as many inputs as asked; the exit status is 1 if one of them was a fault."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=16)
    options.add_argument("--tree", action="store_true", help="stop at the tree, without a plan")
    chosen = options.parse_args()
    began = time.monotonic()
    outcome = run(parse if chosen.tree else compile_text, chosen.inputs, chosen.seed)
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{chosen.inputs} inputs in {seconds:.0f} s: {outcome.results} results, {outcome.errors} positioned errors, "
        f"{len(outcome.faults)} faults\n"
    )
    for text, error in outcome.faults[:10]:
        sys.stdout.write(f"{error!r}\n{text!r}\n")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
