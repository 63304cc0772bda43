"""Drawings of histories, for whoever shows them: see `casvault.graph.drawing`."""

from casvault.graph.drawing import Drawn, iter_drawn

__all__ = ["Drawn", "iter_drawn"]
