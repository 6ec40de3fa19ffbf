"""Cost of a rehearsed load: units × list price. ``prices.toml`` has the prices with their date."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from fraudstream.cloud.rehearsal.environment import Plan
from fraudstream.cloud.rules.quotas import UNIT_INGRESS_EVENTS
from fraudstream.core.documents.client import COLLECTIONS

HOURS = 730


def prices() -> dict[str, Any]:
    """The list prices, in USD."""
    return tomllib.loads(resources.files("fraudstream.cloud.rehearsal").joinpath("prices.toml").read_text("utf-8"))


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


def template_costs(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Cost of the templates a month with these parameters: each resource at rest and at its limits, with a source."""
    table = prices()
    hubs, cosmos, apps = table["event_hubs"], table["cosmos_db"], table["container_apps"]
    unit = HOURS * hubs["throughput_unit_hour"]
    bought, most = parameters["throughputUnits"], max(parameters["throughputUnits"], parameters["mostThroughputUnits"])
    # A transaction comes in once and goes out again as scored or rejected.
    events = 2 * parameters["expectedEventsPerSecond"] * HOURS * 3600 / 1e6
    request_units = len(COLLECTIONS) * parameters["mostRequestUnits"]
    scaled = request_units / 100 * HOURS * cosmos["hundred_units_hour"] * cosmos["autoscale_factor"]
    seconds = HOURS * 3600
    containers = seconds * (apps["cores"] * apps["core_second"] + apps["gibibytes"] * apps["gibibyte_second"])
    images = 30 * table["container_registry"]["day"]
    rows = [
        ("Event Hubs, throughput units", f"{bought} to {most}", bought * unit, most * unit, hubs),
        ("Event Hubs, events", f"0 to {events:,.0f} million", 0.0, events * hubs["million_events"], hubs),
        (
            "Cosmos DB, autoscale",
            f"{cosmos['autoscale_least'] * request_units:,.0f} to {request_units:,} RU/s",
            cosmos["autoscale_least"] * scaled,
            scaled,
            cosmos,
        ),
        ("Container Apps", f"{apps['cores']} cores, {apps['gibibytes']} GiB", containers, containers, apps),
        ("Container Registry", table["container_registry"]["tier"], images, images, table["container_registry"]),
        (
            "Azure ML endpoint, if used",
            "0 to 1 instance",
            0.0,
            HOURS * table["azure_ml"]["instance_hour"],
            table["azure_ml"],
        ),
    ]
    return [
        {"resource": name, "amount": amount, "least": least, "most": limit, "source": priced["source"]}
        for name, amount, least, limit, priced in rows
    ]
