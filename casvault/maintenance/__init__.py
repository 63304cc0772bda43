"""Upkeep: rolling packs up, and checking everything."""

from casvault.maintenance.fsck import Problem, check_objects, check_packs
from casvault.maintenance.rollup import roll_up

__all__ = ["Problem", "check_objects", "check_packs", "roll_up"]
