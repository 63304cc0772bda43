"""Directories on disk: scanning them into trees, and writing trees out, through one choke point."""
