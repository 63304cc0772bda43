"""The façade's part for projects: deploy, drift, pull, and the merges that wait in between."""

from __future__ import annotations

from casvault.vault.continuing import Continuing
from casvault.vault.deploying import Deploying
from casvault.vault.finding import Finding
from casvault.vault.pulling import Pulling


class Projects(Deploying, Finding, Pulling, Continuing):
    """Everything that is done in projects."""
