"""Options that the commands which list commits share."""

from typing import Annotated

import typer

LimitOption = Annotated[
    int | None, typer.Option("-n", "--limit", metavar="N", min=0, help="Only the N newest.", show_default=False)
]
OnelineOption = Annotated[bool, typer.Option("--oneline", help="One line each.")]
