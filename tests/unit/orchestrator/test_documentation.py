"""What is written for people names everything that is there, and nothing that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from orchestrator.census import Census
from orchestrator.configuration import default_of, variable
from orchestrator.doctor import CHECKS
from orchestrator.metrics import Figures, Metrics
from orchestrator.rest.create_purchase import FIELDS
from orchestrator.rest.openapi import document
from orchestrator.rest.schemas import SCHEMAS
from orchestrator.settings import PREFIX, Settings
from tests.fixtures.operations import NoDatabase

DOCS = Path(__file__).parents[3] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
API = (DOCS / "api.md").read_text(encoding="utf-8")


def names(registry: CollectorRegistry) -> set[str]:
    suffix = {"counter": "_total"}
    return {family.name + suffix.get(family.type, "") for family in registry.collect()}


def test_every_setting_is_in_the_table_and_no_other() -> None:
    told = set(re.findall(rf"^\| `({PREFIX}\w+)`", OPERATIONS, re.MULTILINE))
    assert told == {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_settings_row_says_what_the_dashboard_says(name: str) -> None:
    without_links = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", OPERATIONS)
    meaning = Settings.model_fields[name].description
    assert f"| `{variable(name)}` | {default_of(name)} | {meaning} |" in without_links.splitlines()


def test_every_metric_is_in_the_tables_and_no_other() -> None:
    metrics = Metrics()
    figures = Figures(NoDatabase(), metrics)
    figures.show(Census({}, 0, {}, {}, 0, 0.0, {}))
    told = set(re.findall(r"^\| `(orchestrator_\w+)", OPERATIONS, re.MULTILINE))
    assert told == names(metrics.registry) | names(figures.registry)


def test_every_check_of_the_doctor_is_named() -> None:
    assert all(name in OPERATIONS for name, _ in CHECKS)


def test_every_path_is_told() -> None:
    assert [path for path in document()["paths"] if path not in API] == []


def test_every_field_of_create_purchase_is_told_with_its_limit() -> None:
    for name, field in FIELDS.items():
        row = next(line for line in API.splitlines() if line.startswith("| `") and f"`{name}`" in line)
        _, _, required, longest, _, _ = (cell.strip() for cell in row.split("|"))
        assert (required, longest) == ("yes" if field.required else "no", str(field.longest))


def test_every_property_is_told() -> None:
    for schema in ("Purchase", "Transition", "Exchange", "Product"):
        missing = [name for name in SCHEMAS[schema]["properties"] if not re.search(rf"[`{{, ]{name}\b", API)]
        assert missing == [], schema
