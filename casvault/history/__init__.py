"""Walks over commits: ancestry, merge bases and logs, for any reader of objects."""

from casvault.history.commits import CommitGraph

__all__ = ["CommitGraph"]
