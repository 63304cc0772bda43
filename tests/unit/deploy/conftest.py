from __future__ import annotations

import pytest

from tests.story.conftest import place, scene
from tests.unit.artifacts.drafting import Desk

__all__ = ["desk", "place", "scene"]


@pytest.fixture
def desk() -> Desk:
    return Desk()
