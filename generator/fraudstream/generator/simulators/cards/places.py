"""Where people live, go and pay: cities by their real positions, and kinds of merchants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudstream.generator.simulators.cards.rows import Floats


class City(NamedTuple):
    """``latitude`` and ``longitude`` are degrees (WGS 84); ``homes`` is the weight of who lives there."""

    country: str
    latitude: float
    longitude: float
    homes: float
    # The weight of who travels there, and how far its shops lie apart, as a standard deviation in km.
    visits: float
    spread: float


# Belgium and around it, where the customers live; behind them, where they only travel.
CITIES = (
    City("BE", 50.85, 4.35, 12.0, 1.0, 5.0),
    City("BE", 51.22, 4.40, 9.0, 0.8, 4.5),
    City("BE", 51.05, 3.72, 5.0, 0.8, 3.5),
    City("BE", 50.63, 5.57, 4.0, 0.4, 3.5),
    City("BE", 50.41, 4.44, 3.5, 0.2, 3.5),
    City("BE", 51.21, 3.22, 2.5, 1.2, 3.0),
    City("BE", 50.47, 4.87, 2.0, 0.4, 3.0),
    City("BE", 50.88, 4.70, 2.0, 0.4, 2.5),
    City("NL", 52.37, 4.90, 6.0, 2.0, 5.0),
    City("NL", 51.92, 4.48, 4.5, 0.8, 4.5),
    City("NL", 52.09, 5.12, 3.0, 0.5, 3.5),
    City("NL", 51.44, 5.48, 2.0, 0.3, 3.0),
    City("FR", 50.63, 3.06, 4.0, 0.8, 4.0),
    City("FR", 49.26, 4.03, 1.5, 0.5, 3.0),
    City("LU", 49.61, 6.13, 1.5, 0.7, 3.0),
    City("DE", 50.94, 6.96, 2.5, 1.0, 5.0),
    City("FR", 48.86, 2.35, 0.0, 4.0, 7.0),
    City("FR", 43.70, 7.27, 0.0, 2.5, 4.0),
    City("GB", 51.51, -0.13, 0.0, 3.0, 8.0),
    City("ES", 41.39, 2.17, 0.0, 3.5, 5.0),
    City("ES", 36.72, -4.42, 0.0, 2.5, 5.0),
    City("IT", 41.90, 12.50, 0.0, 2.5, 5.0),
    City("PT", 38.72, -9.14, 0.0, 1.5, 4.0),
    City("CH", 46.20, 6.14, 0.0, 1.0, 3.0),
    City("US", 40.71, -74.01, 0.0, 0.8, 9.0),
    City("TR", 36.89, 30.70, 0.0, 1.2, 5.0),
    City("MA", 31.63, -7.99, 0.0, 0.8, 4.0),
    City("TH", 13.76, 100.50, 0.0, 0.5, 9.0),
)
COUNTRIES = ("BE", "NL", "FR", "LU", "DE", "GB", "ES", "IT", "PT", "CH", "US", "TR", "MA", "TH", "IE", "CY")
# Others charge in euros.
CURRENCIES = {"GB": "GBP", "CH": "CHF", "US": "USD", "TR": "TRY", "MA": "MAD", "TH": "THB"}


class Category(NamedTuple):
    """A kind of merchant: its share of all purchases, what one costs, and how often it is made online.

    The price is log-normal: ``median`` euros, ``deviation`` of its logarithm.
    """

    name: str
    share: float
    median: float
    deviation: float
    online: float


CATEGORIES = (
    Category("groceries", 0.25, 27.0, 0.75, 0.07),
    Category("restaurant", 0.14, 21.0, 0.60, 0.12),
    Category("transport", 0.11, 4.2, 0.70, 0.40),
    Category("fuel", 0.06, 52.0, 0.35, 0.0),
    Category("clothing", 0.07, 46.0, 0.70, 0.45),
    Category("electronics", 0.035, 80.0, 1.00, 0.55),
    Category("household", 0.06, 36.0, 0.80, 0.30),
    Category("health", 0.05, 23.0, 0.70, 0.10),
    Category("leisure", 0.07, 25.0, 0.80, 0.50),
    Category("digital", 0.07, 5.5, 0.95, 1.0),
    Category("travel", 0.02, 130.0, 0.90, 0.75),
    Category("transfer", 0.03, 85.0, 0.95, 0.85),
    Category("cash", 0.035, 65.0, 0.65, 0.0),
)
NAMES = tuple(category.name for category in CATEGORIES)
KINDS = len(CATEGORIES)
GROCERIES, RESTAURANT, TRANSPORT, FUEL, CLOTHING, ELECTRONICS = range(6)
HOUSEHOLD, HEALTH, LEISURE, DIGITAL, TRAVEL, TRANSFER, CASH = range(6, KINDS)

# Kilometres of a degree of latitude.
DEGREE_KM = 111.2
EARTH_KM = 6_371.0


def distance_km(latitude: Floats, longitude: Floats, to_latitude: Floats, to_longitude: Floats) -> Floats:
    """The great-circle distance of points in degrees, by the haversine formula; NaN where one of them is NaN."""
    first, other = np.radians(latitude), np.radians(to_latitude)
    half_height = np.sin((other - first) / 2) ** 2
    half_width = np.sin(np.radians(to_longitude - longitude) / 2) ** 2
    inside = half_height + np.cos(first) * np.cos(other) * half_width
    distance: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(inside))
    return distance
