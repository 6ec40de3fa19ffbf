"""What a rehearsed load would cost: units × list price. The prices are data, in ``prices.toml``, with their date."""

from __future__ import annotations

import math
import tomllib
from importlib import resources
from typing import Any

from fraudstream.cloud.quotas import UNIT_INGRESS_EVENTS
from fraudstream.cloud.rehearsal.environment import Plan

HOURS = 730


def prices() -> dict[str, Any]:
    """The table of prices, in USD."""
    return tomllib.loads(resources.files("fraudstream.cloud").joinpath("prices.toml").read_text("utf-8"))


def monthly_costs(plan: Plan, events_per_second: float) -> list[dict[str, Any]]:
    """Each resource with its amount and its price for a month at this rate."""
    table = prices()
    # A transaction comes in once and goes out again as scored or rejected.
    ingress = 2 * events_per_second
    units = max(plan.throughput_units, math.ceil(ingress / UNIT_INGRESS_EVENTS))
    rows = [
        (
            "Event Hubs, throughput units",
            f"{units}",
            units * HOURS * table["event_hubs"]["throughput_unit_hour"],
        ),
        (
            "Event Hubs, ingress events",
            f"{ingress * HOURS * 3600 / 1e6:,.0f} million",
            ingress * HOURS * 3600 / 1e6 * table["event_hubs"]["million_events"],
        ),
        (
            "Cosmos DB, request units",
            f"{plan.request_units:,.0f} RU/s",
            plan.request_units / 100 * HOURS * table["cosmos_db"]["hundred_units_hour"],
        ),
        (
            "Azure ML endpoint, instances",
            "1",
            HOURS * table["azure_ml"]["instance_hour"],
        ),
        (
            "Container Apps, jobs and pages",
            f"{table['container_apps']['cores']} cores, {table['container_apps']['gibibytes']} GiB",
            HOURS
            * 3600
            * (
                table["container_apps"]["cores"] * table["container_apps"]["core_second"]
                + table["container_apps"]["gibibytes"] * table["container_apps"]["gibibyte_second"]
            ),
        ),
        ("Container Registry", table["container_registry"]["tier"], 30 * table["container_registry"]["day"]),
    ]
    return [{"resource": name, "amount": amount, "usd_per_month": round(usd, 2)} for name, amount, usd in rows]
