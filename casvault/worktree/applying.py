"""One run over a list of changes: first what goes, deepest first, then what comes, then everything made durable."""

from __future__ import annotations

import errno
import os
import stat
from itertools import batched
from typing import TYPE_CHECKING, NamedTuple
