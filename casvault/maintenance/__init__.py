"""Upkeep: rolling packs up, and checking everything."""

from casvault.maintenance.fsck import Fsck, Problem, check_objects
from casvault.maintenance.rollup import roll_up

__all__ = ["Fsck", "Problem", "check_objects", "roll_up"]
