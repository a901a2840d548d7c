"""What workers do for the audit trail."""

import logging

from celery import shared_task

from aegis.audit.models import AuditHead

logger = logging.getLogger(__name__)


@shared_task
def tell_head() -> None:
    """Write the end of the trail, as `audit_head` prints it, into the log: whoever keeps that elsewhere keeps a witness."""
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        logger.error("The head of the audit trail is gone: run verify_audit")
    else:
        logger.info("The audit trail ends at %s:%s", head.size, head.mac)
