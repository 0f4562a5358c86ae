"""What docker-compose.yml promises: no password by default, least rights, closed networks."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy import compose

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
HARMLESS_DEFAULTS = {
    "ZT_SECURE_COOKIES": "true",
    "ZT_PROVINCE_PORT": "8081",
    "ZT_CITY_PORT": "8082",
    "ZT_COUNTY_A_PORT": "8083",
    "ZT_COUNTY_B_PORT": "8084",
}
EXAMPLE = compose.ROOT / "deploy" / "compose" / "env.example"
SERVICES: dict[str, dict[str, Any]] = compose.read()["services"]
NODES = {"province", "city", "county-a", "county-b"}


def networks(service: str) -> set[str]:
    """The networks that a service is in."""
    return set(SERVICES[service]["networks"])


def test_every_variable_must_be_set_or_has_a_harmless_default() -> None:
    for name, rest in compose.variables():
        if name in HARMLESS_DEFAULTS:
            assert rest == f":-{HARMLESS_DEFAULTS[name]}", name
        else:
            assert rest == ":?set it in .env", name


def test_no_secret_is_written_down() -> None:
    for service, declared in SERVICES.items():
        for name, value in declared.get("environment", {}).items():
            if str(value).startswith("amqps://"):
                # A certificate is the login.
                assert urlsplit(str(value)).username is None, (service, name)
            elif "://" in str(value):
                password = urlsplit(str(value).replace(":?set it in .env", "")).password
                assert re.fullmatch(r"\$\{ZT_\w+_PASSWORD\}", password or ""), (service, name)
            elif SECRET.search(name):
                assert name.endswith("_FILE"), (service, name)
                assert str(value).startswith("/run/secrets/"), (service, name)


def test_the_example_names_every_variable_and_no_password() -> None:
    example = compose.dotenv(EXAMPLE)
    used = {name for name, _ in compose.variables()}
    enrolment = (compose.ROOT / "deploy" / "compose" / "enrol.sh").read_text("utf-8")
    used |= set(re.findall(r"\$(ZT_\w+_(?:ID|NAME))\b", enrolment))
    assert used == set(example)
    assert {name for name, value in example.items() if not value} == {
        name for name in example if SECRET.search(name)
    }
    for name, value in HARMLESS_DEFAULTS.items():
        assert example[name] == value


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_least_rights(service: str) -> None:
    declared = SERVICES[service]
    assert declared["read_only"] is True
    assert declared["cap_drop"] == ["ALL"]
    assert "cap_add" not in declared
    assert "privileged" not in declared
    assert declared["security_opt"] == ["no-new-privileges:true"]
    user, _, group = declared["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert declared["restart"] == "unless-stopped"
    assert declared["mem_limit"]
    assert declared["pids_limit"]
    assert declared["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("service", SERVICES)
def test_each_image_names_its_version(service: str) -> None:
    name, _, tag = SERVICES[service]["image"].partition(":")
    assert re.match(r"\d", tag), f"{name}:{tag}"


def test_ports_are_published_on_loopback_alone() -> None:
    published = {name for name, declared in SERVICES.items() if "ports" in declared}
    assert published == NODES
    for service in published:
        [port] = SERVICES[service]["ports"]
        assert port.startswith("127.0.0.1:"), port


def test_only_these_services_reach_each_other() -> None:
    reached = {
        frozenset(pair)
        for pair in combinations(SERVICES, 2)
        if networks(pair[0]) & networks(pair[1])
    }
    assert reached == {
        frozenset(pair)
        for pair in (
            ("province", "province-db"),
            ("province", "province-broker"),
            ("province-db", "province-broker"),
            ("province-broker", "city"),
            ("city", "city-db"),
            ("city", "city-broker"),
            ("city-db", "city-broker"),
            ("city-broker", "county-a"),
            ("city-broker", "county-b"),
        )
    }


def test_every_network_but_those_of_the_pages_is_internal() -> None:
    declared: dict[str, dict[str, Any]] = compose.read()["networks"]
    assert set().union(*map(networks, SERVICES)) == set(declared)
    for name, settings in declared.items():
        assert settings.get("internal", False) is not name.endswith("-pages"), name


@pytest.mark.parametrize("office", ["province", "city"])
def test_the_management_api_listens_inside_the_office_alone(office: str) -> None:
    address = SERVICES[f"{office}-broker"]["networks"][f"{office}-office"]["ipv4_address"]
    settings = compose.ROOT / "deploy" / "compose" / f"{office}-management.conf"
    assert f"management.tcp.ip = {address}\n" in settings.read_text()


def test_every_file_and_volume_that_is_mounted_is_there() -> None:
    declared = compose.read()
    used = set()
    for service in SERVICES.values():
        for mount in service["volumes"]:
            source, _, rest = mount.partition(":")
            if source.startswith("./"):
                assert (compose.ROOT / source).is_file(), source
                assert rest.endswith(":ro"), mount
            else:
                used.add(source)
    assert used == set(declared["volumes"])
    assert {
        s["source"] for service in SERVICES.values() for s in service.get("secrets", [])
    } == set(declared["secrets"])


def test_image_and_compose_file_agree() -> None:
    dockerfile = (compose.ROOT / "deploy" / "Dockerfile").read_text()
    version = re.search(r'^version = "(.+)"$', (compose.ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    for name in NODES:
        assert SERVICES[name]["image"] == f"zhitong:{version[1]}"
        assert f"USER {SERVICES[name]['user']}\n" in dockerfile
        assert SERVICES[name]["volumes"] == [f"{name}:/data"]
    assert "WORKDIR /data\n" in dockerfile


def test_what_the_image_is_built_of_is_let_through() -> None:
    let_through = {
        line.removeprefix("!")
        for line in (compose.ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    dockerfile = (compose.ROOT / "deploy" / "Dockerfile").read_text()
    copied: set[str] = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.M):
        copied.update(line.split()[:-1])
    assert copied == let_through
    assert all(Path(compose.ROOT, name).exists() for name in copied)
