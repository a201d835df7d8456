"""From the command line to a subcommand, and back: text, errors, exit codes."""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
from collections.abc import Sequence

import minikeras
from minikeras.cli import comparing, doctor, inspecting, running, verifying
from minikeras.cli.outcome import FINE, WRONG, Outcome

__all__ = ["main"]

COMMANDS = {
    "inspect": inspecting,
    "run": running,
    "verify": verifying,
    "diff": comparing,
    "doctor": doctor,
}
INTERRUPTED = 130  # as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return the exit code.

    It is 0 if all is well, 1 if something differs or is amiss, 2 for an error.

    Args:
        argv: the arguments; those of the process by default.
    """
    given = _parser().parse_args(argv)
    # At its end Python looks through all objects for cycles, which takes 50 ms, and the
    # memory is given back anyway.
    atexit.register(gc.freeze)
    try:
        outcome: Outcome = given.run(given)
        _print(outcome, getattr(given, "json", False))
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if given.traceback:
            raise
        sys.stderr.write(f"minikeras {given.command}: {_one_line(error)}\n")
        return WRONG
    return outcome.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minikeras", description="Look at models in files, run and compare them."
    )
    parser.add_argument(
        "--version", action="version", version=f"minikeras {minikeras.__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.add_argument(
            "--traceback", action="store_true", help="show where an error came from"
        )
        command.set_defaults(run=module.run)
    return parser


def _print(outcome: Outcome, as_json: bool) -> None:
    text = json.dumps(outcome.data, indent=2) if as_json else outcome.text
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if text:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()


def _one_line(error: Exception) -> str:
    """Return an error's message without its kind, if it says something."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    text = " ".join(str(error.args[0] if len(error.args) == 1 else error).split())
    return text or type(error).__name__
