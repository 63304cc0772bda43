"""Merging: the three-way rule, and its application to contents. Conflicts are values, never exceptions.

Import the modules by name; nothing is re-exported, so that `rule` alone stays free of the text machinery.
"""
