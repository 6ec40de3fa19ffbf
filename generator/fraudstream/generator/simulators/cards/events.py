"""Transactions as the events of the project ``cards``: JSON values with the fields in the schema's order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from fraudstream.core.project.project import bundled
from fraudstream.generator.simulators.cards.places import COUNTRIES, CURRENCIES, NAMES
from fraudstream.generator.simulators.cards.rows import CAMPAIGN_NAMES, CHANNELS, Rows
from fraudstream.generator.simulators.cards.seasons import Season
from fraudstream.generator.simulators.cards.world import Terminals

FIELDS = tuple(rule.name for rule in bundled("cards").rules)

_EURO = "EUR"


class Writer:
    """Writes rows as events; what depends on the terminal alone is written once."""

    def __init__(self, terminals: Terminals, *, labelled: bool) -> None:
        self._terminals = [_terminal(terminals, place) for place in range(len(terminals))]
        self._kinds = _kinds(labelled)

    def events(self, season: Season, rows: Rows, first_id: int) -> Iterator[bytes]:
        """The rows of one day, their ids ascending from ``first_id``, as UTF-8 JSON."""
        # Of bytes and with tables for what has few values: half of the time that one template of texts takes.
        template = (
            b'{"id":%%d,"made_at":"%bT%%b.%%bZ","customer":"U%%06d","card":"C%%08d",%%b,"amount":%%d.%%b,%%b}'
            % season.text.encode()
        )
        seconds, thousandths, hundredths = _clock()
        of_day = rows.moment - season.begin_ms
        columns = zip(
            range(first_id, first_id + len(rows)),
            map(seconds.__getitem__, (of_day // 1_000).tolist()),
            map(thousandths.__getitem__, (of_day % 1_000).tolist()),
            rows.customer.tolist(),
            rows.card.tolist(),
            map(self._terminals.__getitem__, rows.terminal.tolist()),
            (rows.cents // 100).tolist(),
            map(hundredths.__getitem__, (rows.cents % 100).tolist()),
            map(self._kinds.__getitem__, _kind(rows).tolist()),
            strict=True,
        )
        return map(template.__mod__, columns)


def _terminal(terminals: Terminals, place: int) -> bytes:
    country = COUNTRIES[terminals.country[place]]
    latitude, longitude = float(terminals.latitude[place]), float(terminals.longitude[place])
    # A shop online is nowhere.
    where = "null,null" if math.isnan(latitude) else f"{latitude:.5f},{longitude:.5f}"
    north, east = where.split(",")
    return (
        f'"terminal":"T{place:06d}","category":"{NAMES[terminals.category[place]]}","country":"{country}",'
        f'"currency":"{CURRENCIES.get(country, _EURO)}","latitude":{north},"longitude":{east}'
    ).encode()


def _kind(rows: Rows) -> np.ndarray:
    """The place of each row's last fields in :func:`_kinds`."""
    flags = 2 * rows.is_recurring.astype(np.int64) + rows.is_authenticated
    place: np.ndarray = (rows.channel * 4 + flags) * len(CAMPAIGN_NAMES) + rows.campaign
    return place


def _kinds(labelled: bool) -> Sequence[bytes]:
    """The last fields of an event, for each channel, for the two flags, and for each campaign."""
    texts = []
    for channel, recurring, authenticated, campaign in product(CHANNELS, (0, 1), (0, 1), CAMPAIGN_NAMES):
        text = (
            f'"channel":"{channel}","recurring":{"true" if recurring else "false"},'
            f'"authenticated":{"true" if authenticated else "false"}'
        )
        if labelled:
            text += f',"is_fraud":{int(campaign is not None)},"campaign":' + (f'"{campaign}"' if campaign else "null")
        texts.append(text.encode())
    return texts


@lru_cache(maxsize=1)
def _clock() -> tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]:
    """Each second of a day, each thousandth of a second and each hundredth of a euro, as text."""
    seconds = [b"%02d:%02d:%02d" % (second // 3_600, second // 60 % 60, second % 60) for second in range(86_400)]
    return seconds, [b"%03d" % number for number in range(1_000)], [b"%02d" % number for number in range(100)]
