"""Directories on disk: scanning them into trees, and writing trees out, through one choke point.

Import the modules by name; nothing is re-exported, so that a command loads only what it uses.
"""
