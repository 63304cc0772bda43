from __future__ import annotations

import pytest

from tests.unit.artifacts.drafting import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
