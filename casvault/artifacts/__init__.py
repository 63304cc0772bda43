"""Artifacts and collections: rules, versions, snapshots, lineage."""
