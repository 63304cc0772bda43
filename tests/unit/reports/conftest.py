from __future__ import annotations

from tests.story.conftest import place, scene

__all__ = ["place", "scene"]
