"""What opens a door has no place in logs, in the audit trail or on pages: it is cut out of any text that is kept or shown."""

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

KEYS = re.compile(
    r"(/accounts/link/|/evidence/[0-9a-f-]{36}/|\bBearer "
    r"|[?&;][\w.-]*(?:token|key|secret|sig|signature|auth|passw(?:or)?d|pwd|credential)[\w.-]*=)[^\s\"'&?<>]+"
    r"|(://[^/\s:@]*:)[^/\s@]+(?=@)",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text, with `...` for what opens a door in an address: one-time links, tickets, signatures, tokens, passwords."""
    return KEYS.sub(lambda found: f"{found[1] or found[2]}...", text)


class QuietDebugPages(SafeExceptionReporterFilter):
    """Django's debug pages without the secrets that Django does not know for such: cookies, and addresses with passwords."""

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """The value of a setting, of a header or of a local variable, without secrets."""
        cleansed = super().cleanse_setting(key, value)
        return without_secrets(str(cleansed)) if isinstance(cleansed, str) else cleansed

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        """Their names: each value opens a door."""
        return dict.fromkeys(getattr(request, "COOKIES", {}), self.cleansed_substitute)
