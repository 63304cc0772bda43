"""Packs, and the database over them."""

from casvault.store.database import PackDatabase
from casvault.store.pack import Pack
from casvault.store.transaction import PackTransaction
from casvault.store.writer import PackWriter

__all__ = ["Pack", "PackDatabase", "PackTransaction", "PackWriter"]
