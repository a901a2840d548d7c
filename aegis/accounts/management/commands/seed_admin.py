"""`manage.py seed_admin --username NAME`: the first admin of a new installation."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from aegis.accounts.bootstrap import AdminExistsError, create_first_admin


class Command(BaseCommand):
    help = "Create the first admin and print a generated password once. Refuses when there is an active admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True, help="user name to log in with")
        parser.add_argument("--email", default="", help="e-mail address (optional)")
        parser.add_argument("--if-none", action="store_true", help="end well when there is an admin already")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            password = create_first_admin(username=options["username"], email=options["email"])
        except AdminExistsError as error:
            if not options["if_none"]:
                raise CommandError(str(error)) from error
            self.stdout.write(str(error))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        else:
            self.stdout.write(f"Admin {options['username']} created.\nPassword (shown this once): {password}")
