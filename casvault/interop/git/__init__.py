"""Git repositories as a source and as a destination of objects and refs."""

from casvault.interop.git.exporting import export_repository
from casvault.interop.git.importing import import_repository
from casvault.interop.git.intake import ImportOptions
from casvault.interop.git.results import ExportResult, ImportResult, RefResult

__all__ = [
    "ExportResult",
    "ImportOptions",
    "ImportResult",
    "RefResult",
    "export_repository",
    "import_repository",
]
