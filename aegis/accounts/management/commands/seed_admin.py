"""`manage.py seed_admin --username NAME`: the first admin of a new installation."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from aegis.accounts.bootstrap import AdminExistsError, create_first_admin, link_for_first_admin


class Command(BaseCommand):
    help = "Create the first admin and print a generated password once, or a one-time link. Refuses when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True, help="user name to log in with")
        parser.add_argument("--email", default="", help="e-mail address (optional)")
        parser.add_argument("--if-none", action="store_true", help="end well when there is an admin already")
        parser.add_argument("--link", action="store_true", help="print a one-time link to set a password instead")
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="where the site answers, for --link")

    def handle(self, *args: Any, **options: Any) -> None:
        who = {"username": options["username"], "email": options["email"]}
        try:
            lines = self._link(who, options["site"]) if options["link"] else self._password(who)
        except AdminExistsError as error:
            if not options["if_none"]:
                raise CommandError(str(error)) from error
            self.stdout.write(str(error))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        else:
            self.stdout.write(f"Admin {options['username']} created.\n{lines}")

    def _password(self, who: dict[str, str]) -> str:
        return f"Password (shown this once): {create_first_admin(**who)}"

    def _link(self, who: dict[str, str], site: str) -> str:
        path = reverse("accounts:link", args=[link_for_first_admin(**who)])
        return f"Link to set the password (works once, for an hour): {site.rstrip('/')}{path}"
