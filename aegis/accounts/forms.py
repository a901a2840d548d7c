"""The login form."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm

REFUSED = "That user name and password do not match. Capitals count in both."


class LoginForm(AuthenticationForm):
    """User name and password. Unknown, inactive and wrong all read the same, so that nobody can fish for user names."""

    error_messages: dict[str, Any] = {"invalid_login": REFUSED, "inactive": REFUSED}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
