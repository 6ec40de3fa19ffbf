"""Who may see the pages."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import Flask

from fraudstream.core.configuration.settings import Settings, load_settings, profile_values
from fraudstream.core.errors import ConfigurationError
from fraudstream.dashboards.access import HEALTH_PATH, Access, protect

PASSWORD = "correct horse"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what the settings may not say without a login


def site(settings: Settings) -> Any:
    server = Flask("test")
    server.add_url_rule("/", endpoint="pages", view_func=lambda: "pages")
    server.add_url_rule("/_dash-update-component", endpoint="data", view_func=lambda: "data", methods=["POST"])
    server.add_url_rule(HEALTH_PATH, endpoint="health", view_func=lambda: "ok")
    protect(server, Access.of(settings))
    return server.test_client()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def guarded_site() -> Any:
    return site(load_settings(dashboard_auth="basic", dashboard_user="ana", dashboard_password=PASSWORD))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_this_machine_no_login_is_needed(host: str) -> None:
    assert site(load_settings(bind_host=host)).get("/").text == "pages"


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "10.0.0.5", "dashboards.example"])
def test_for_other_machines_there_is_no_start_without_a_login(host: str) -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_DASHBOARD_AUTH"):
        Access.of(load_settings(bind_host=host))


def test_for_other_machines_the_setting_that_they_are_guarded_is_enough() -> None:
    assert Access.of(load_settings(bind_host=EVERYWHERE, dashboard_guarded=True)).auth == "none"


def test_compose_has_that_setting_because_it_publishes_ports_on_this_machine_alone() -> None:
    values = profile_values("compose")
    assert values["bind_host"] == EVERYWHERE
    assert values["dashboard_guarded"] is True
    Access.of(load_settings(profile="compose"))


@pytest.mark.parametrize(("given", "missing"), [({}, "USER"), ({"dashboard_user": "ana"}, "PASSWORD")])
def test_a_login_without_its_password_is_no_login(given: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"FRAUDSTREAM_DASHBOARD_{missing} is empty"):
        Access.of(load_settings(dashboard_auth="basic", **given))


def test_the_password_opens_pages_and_data(guarded_site: Any) -> None:
    assert guarded_site.get("/", headers=basic("ana", PASSWORD)).text == "pages"
    assert guarded_site.post("/_dash-update-component", headers=basic("ana", PASSWORD)).text == "data"


@pytest.mark.parametrize(
    "headers",
    [{}, basic("ana", "wrong"), basic("bob", PASSWORD), basic("ana", ""), {"Authorization": "Bearer x"}],
)
def test_anything_else_does_not(guarded_site: Any, headers: dict[str, str]) -> None:
    refused = guarded_site.get("/", headers=headers)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert guarded_site.post("/_dash-update-component", headers=headers).status_code == 401


def test_health_answers_anybody(guarded_site: Any) -> None:
    assert guarded_site.get(HEALTH_PATH).status_code == 200


def test_the_password_is_not_shown() -> None:
    settings = load_settings(dashboard_auth="basic", dashboard_user="ana", dashboard_password=PASSWORD)
    assert PASSWORD not in repr(Access.of(settings))


def test_a_trusted_proxy_names_the_user() -> None:
    client = site(load_settings(bind_host=EVERYWHERE, dashboard_auth="header"))
    named = {"X-MS-CLIENT-PRINCIPAL-NAME": "ana@example.org"}
    assert client.get("/", headers=named).text == "pages"
    assert client.get("/").status_code == 401


def test_a_stranger_cannot_name_a_user() -> None:
    settings = load_settings(
        bind_host=EVERYWHERE, dashboard_auth="header", dashboard_trusted_proxies="10.0.0.0/8, 192.0.2.7"
    )
    client, named = site(settings), {"X-MS-CLIENT-PRINCIPAL-NAME": "ana"}
    refused = client.get("/", headers=named, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert refused.status_code == 403
    for address in ("10.20.30.40", "192.0.2.7"):
        assert client.get("/", headers=named, environ_base={"REMOTE_ADDR": address}).status_code == 200


def test_an_unreadable_list_of_proxies_is_named() -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_TRUSTED_PROXIES"):
        Access.of(load_settings(dashboard_auth="header", dashboard_trusted_proxies="everybody"))


def test_pages_stay_out_of_other_sites_frames() -> None:
    assert site(load_settings()).get("/").headers["X-Frame-Options"] == "SAMEORIGIN"
