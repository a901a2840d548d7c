"""`manage.py audit_head`: the end of the audit trail, to be kept where nobody of the database can reach it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aegis.audit.models import AuditHead
from aegis.audit.recording import accept_chain


class Command(BaseCommand):
    """Prints SIZE:MAC. `verify_audit --head SIZE:MAC` finds out later whether the chain still passes through it."""

    help = "Print the size of the audit trail and the signature of its last row, for a witness."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept",
            metavar="REASON",
            help="sign the trail as it stands now, after damage was looked into or the key was lost; recorded with the reason",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["accept"]:
            accept_chain(options["accept"])
        head = AuditHead.objects.filter(pk=1).first()
        if head is None:
            raise CommandError("the head of the audit trail is gone: run verify_audit")
        self.stdout.write(f"{head.size}:{head.mac}")
