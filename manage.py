#!/usr/bin/env python
"""Django's commands, on the same database that `make run` uses."""

import os
import sys

WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "maintenance",
    "makemessages",
    "prove",  # brings its own
    "simulator",
    "version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make setup`, then .venv/bin/python.")

    from config import postgres

    try:
        if needs_database(sys.argv[1:]):
            postgres.ensure_started()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, postgres.DatabaseNotStarted) as error:
        sys.exit(str(error))


def needs_database(arguments: list[str]) -> bool:
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_DATABASE and arguments[:2] != ["makemigrations", "--check"]


if __name__ == "__main__":
    main()
