"""The login form."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """User name and password. Unknown, inactive and wrong all read the same, so that nobody can fish for user names."""

    error_messages: ClassVar[dict[str, Any]] = {
        "invalid_login": "That user name and password do not match. Capitals count in both.",
        "inactive": "That user name and password do not match. Capitals count in both.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    username: forms.Field
    password: forms.Field
