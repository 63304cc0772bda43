"""SkillMeat, the collection manager that kept its state in records: moving in from there, and out to there.

A hash that it recorded is looked for among the contents that its collections have or had, in its snapshots too, and
leads to a version, which is then the base of merges like any other. What its files say besides is kept as text, and
written back: an import after an export after an import is the identity. What its files look like is said in `home`,
`deployed`, `hashing` and `stamps`, and what is kept in `kept`.
"""

from casvault.interop.skillmeat.exporting import export_skillmeat
from casvault.interop.skillmeat.hashing import hash_path
from casvault.interop.skillmeat.importing import import_skillmeat
from casvault.interop.skillmeat.kept import Legacy
from casvault.interop.skillmeat.results import (
    ExportedFile,
    ExportResult,
    ImportedCollection,
    ImportedDeployment,
    ImportResult,
    LeftOut,
)

__all__ = [
    "ExportResult",
    "ExportedFile",
    "ImportResult",
    "ImportedCollection",
    "ImportedDeployment",
    "LeftOut",
    "Legacy",
    "export_skillmeat",
    "hash_path",
    "import_skillmeat",
]
