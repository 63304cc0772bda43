"""What the packages promise by name is there, once, and sorted."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tests.architecture.sources import PACKAGE

PACKAGES = sorted(
    ".".join(("casvault", *path.parent.relative_to(PACKAGE).parts)) for path in PACKAGE.rglob("__init__.py")
)


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def test_the_public_names_are_there(package: ModuleType) -> None:
    """Names that are loaded on first use are found too."""
    missing = [name for name in getattr(package, "__all__", ()) if not hasattr(package, name)]
    assert missing == []


def test_no_public_name_stands_twice(package: ModuleType) -> None:
    names = list(getattr(package, "__all__", ()))
    assert len(names) == len(set(names))


def test_a_public_name_says_that_it_is_public(package: ModuleType) -> None:
    assert [name for name in getattr(package, "__all__", ()) if name.startswith("_") and name != "__version__"] == []


def test_the_version_is_there() -> None:
    assert importlib.import_module("casvault").__version__.count(".") == 2
