"""What operators are handed: every metric, label, heading and path in it exists."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from prometheus_client import REGISTRY
from promql_parser import parse

import connectors
import handlers
from deploy.packages import ROOT

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:gendan|process)_[a-z_]+\b")
SCRAPED = {"job", "instance"}
SELECTOR = re.compile(r"(?P<metric>(?:gendan|process)_[a-z_]+)\{(?P<labels>[^}]*)\}")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))["panels"]
    return found


@cache
def metrics() -> dict[str, frozenset[str]]:
    """Name -> its labels, of all that the program registers."""
    for package in (connectors, handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = {}
    for collector in set(REGISTRY._collector_to_names):
        for name in REGISTRY._collector_to_names[collector]:
            if name.startswith(("gendan_", "process_")):
                found[name] = frozenset(getattr(collector, "_labelnames", ()))
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def test_every_metric_that_is_watched_exists_with_its_labels() -> None:
    known = metrics()
    assert len(known) > 15
    for expression in expressions():
        named = METRIC.findall(expression)
        assert set(named) <= known.keys(), expression
        for match in SELECTOR.finditer(expression):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", match["labels"]))
            assert labels <= known[match["metric"]] | SCRAPED, expression


def test_labels_that_a_legend_or_summary_shows_exist() -> None:
    shown = [(rule["expr"], rule["annotations"]["summary"], r"\$labels\.(\w+)") for rule in rules()]
    shown += [
        (target["expr"], target["legendFormat"], r"\{\{(\w+)\}\}")
        for panel in panels()
        for target in panel["targets"]
    ]
    for expression, text, pattern in shown:
        kept = re.search(r"by \(([^)]*)\)", expression)
        there = set(re.split(r",\s*", kept[1])) if kept else set()
        for name in METRIC.findall(expression):
            there |= metrics()[name] | SCRAPED if kept is None else set()
        assert set(re.findall(pattern, text)) <= there, (expression, text)


def test_every_expression_is_one_that_prometheus_reads() -> None:
    read = [parse(expression) for expression in expressions()]
    assert len(read) > 15


def test_names_say_what_is_measured_and_in_what() -> None:
    """As Prometheus asks: base units, `_total` for what only grows, and no other suffix of its own
    in a name."""
    for collector in set(REGISTRY._collector_to_names):
        name, kind = getattr(collector, "_name", ""), getattr(collector, "_type", "")
        if not name.startswith("gendan_"):
            continue
        assert not re.search(r"_(ms|minutes|hours|milliseconds|kb|mb|percent)\b", name), name
        assert not name.endswith(("_count", "_sum", "_bucket", "_created")), name
        if kind in ("histogram", "summary"):
            assert name.endswith("_seconds"), name
        if kind == "gauge":
            assert not name.endswith("_total"), name
        labels = frozenset(getattr(collector, "_labelnames", ()))
        assert not labels & {"user", "person", "customer", "conversation", "chat", "text"}, name


def test_every_metric_of_the_program_is_explained_to_operators() -> None:
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    shortened = {"gendan_dingtalk_quota_limit", "gendan_dingtalk_quota_foretold"}
    names = {name for name in metrics() if name.startswith("gendan_")} - shortened
    parts = ("_created", "_bucket", "_count", "_sum")
    base = {name for name in names if f"{name}_total" not in names and not name.endswith(parts)}
    assert [name for name in sorted(base) if name not in told] == []


def test_every_alert_says_what_is_wrong_and_where_to_read_on() -> None:
    titles = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in HEADING.findall((ROOT / "docs" / "operations.md").read_text("utf-8"))
    }
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert anchor in titles, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_panels_do_not_lie_on_each_other() -> None:
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in panels()}) == len(panels())
