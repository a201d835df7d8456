"""The command ``minikeras``: a file for each of its subcommands.

`main` reads the arguments and reports errors in one line; a subcommand has a `HELP`,
`add_arguments` and `run`, which returns an `Outcome`: what to print, and the exit code.
"""

from __future__ import annotations
