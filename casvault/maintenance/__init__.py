"""Upkeep: rolling packs up, and checking everything.

Import the modules by name; nothing is re-exported, so that a command loads only what it uses.
"""
