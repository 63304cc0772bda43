"""Merge drivers: how files of a type are merged, and which paths are of which type.

Import the modules by name. The libraries that read TOML and YAML are loaded when a file needs them.
"""
