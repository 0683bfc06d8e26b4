"""A benchmark runs now and then only; what it is made of must still be there."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import benchmarks

MODULES = sorted(
    one.name
    for one in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.")
    if not one.name.endswith("__main__")
)


@pytest.mark.parametrize("module", MODULES)
def test_each_benchmark_finds_all_it_imports(module: str) -> None:
    assert importlib.import_module(module)
