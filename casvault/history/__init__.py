"""Walks over commits: ancestry, merge bases and logs, for any reader of objects."""

from casvault.history.commits import CommitGraph
from casvault.history.table import CommitTable, GraphCache

__all__ = ["CommitGraph", "CommitTable", "GraphCache"]
