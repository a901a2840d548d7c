"""Forms of the accounts: log in, passwords, users."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm, UsernameField
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest

from aegis.accounts.models import User
from aegis.accounts.policy import Role

if TYPE_CHECKING:
    UserPasswordForm = SetPasswordForm[User]
    UserForm = forms.ModelForm[User]
else:
    UserPasswordForm, UserForm = SetPasswordForm, forms.ModelForm

REFUSED = "That user name and password do not match. Capitals count in both."
LONGEST_PASSWORD = 1024
NOT_YOURS = "That is not your current password. Capitals count."


class Styled(forms.BaseForm):
    """Gives every field the look of the house."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "select" if isinstance(field.widget, forms.Select) else "input"


class LoginForm(Styled, AuthenticationForm):
    """User name and password. Unknown, inactive and wrong all read the same, so that nobody can fish for user names."""

    error_messages: dict[str, Any] = {"invalid_login": REFUSED, "inactive": REFUSED}
    # Django's own form tells the browser a longest name, and takes any.
    username = UsernameField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))
    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewPasswordForm(Styled, UserPasswordForm):
    """A password, twice, that passes the validators. What to do with it is the caller's: the form saves nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].validators.append(MaxLengthValidator(LONGEST_PASSWORD))


class ConfirmForm(Styled, forms.Form):
    """The password of who is logged in already. Wrong ones count as failed logins do, and are throttled alike."""

    current_password = forms.CharField(
        label="Current password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_current_password(self) -> str:
        """Raises ValidationError if it is not the user's."""
        password: str = self.cleaned_data["current_password"]
        if authenticate(self.request, username=self.request.user.get_username(), password=password) is None:
            raise forms.ValidationError(NOT_YOURS)
        return password


class PasswordChangeForm(ConfirmForm, NewPasswordForm):
    """The current password, and a new one twice."""

    field_order = ("current_password", "new_password1", "new_password2")


class NewUserForm(Styled, UserForm):
    """Who a new user is, and what they may do. They set their password themselves."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    class Meta:
        model = User
        fields = ("username", "email", "role")
        field_classes = {"username": UsernameField}
        help_texts = {"username": "Letters, digits and @ . + - _ only."}


class AccessForm(Styled, forms.Form):
    """A user's role, and whether they can log in."""

    role = forms.ChoiceField(choices=Role.choices)
    is_active = forms.BooleanField(label="Can log in", required=False)
