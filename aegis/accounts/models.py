"""The user: a Django user whose rights follow from one role alone; their sessions, links to set a password, kept answers."""

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from aegis.accounts.devices import device_name
from aegis.accounts.policy import Role, allows


class UserQuerySet(models.QuerySet["User"]):
    """Users by what they are called."""

    def search(self, text: str) -> "UserQuerySet":
        """Users whose user name, real name or e-mail address holds `text`."""
        names = ("username", "first_name", "last_name", "email")
        return self.filter(reduce(or_, (Q((f"{name}__icontains", text)) for name in names)))


class UserManager(DjangoUserManager["User"]):
    """Creates users by role; a superuser is an admin."""

    def get_queryset(self) -> UserQuerySet:
        """All users."""
        return UserQuerySet(self.model, using=self._db)

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """A saved user, a viewer unless `role` says otherwise; without a password nobody can log in as them."""
        user = self.model(username=self.model.normalize_username(username), email=self.normalize_email(email), **fields)
        user.password = make_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """A saved admin, as `createsuperuser` asks for it."""
        return self.create_user(username, email, password, **{**fields, "role": Role.ADMIN})

    def active_admins(self) -> models.QuerySet["User"]:
        """Admins who can log in."""
        return self.filter(role=Role.ADMIN, is_active=True)


class User(AbstractUser):
    """A person with a login. `role` decides everything: no groups, no permissions, no staff flag to drift from it."""

    role: "models.CharField[str, str]" = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    # Django takes inherited fields away by None, or by another attribute of the name; its type stubs do not know that.
    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    objects: ClassVar[UserManager] = UserManager()

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(AbstractUser.Meta):
        abstract = False
        ordering = ("username",)

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, together with whatever listens: a change that cannot be recorded is no change."""
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("accounts:user-detail", args=[self.pk])

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """Whether the Django admin opens."""
        return allows(self, "admin.use")

    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        """Whether the Django admin lets them change everything that it registers."""
        return allows(self, "admin.use")

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's model permissions: all for admins, none for anybody else."""
        return self.is_superuser

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """As `has_perm`."""
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        """As `has_perm`."""
        return self.is_superuser


class FromDevice(models.Model):
    """What is known of whoever is logged in: what their program calls itself, where it last came from, and when."""

    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    @property
    def device(self) -> str:
        """The program in words."""
        return device_name(self.user_agent)


class ApiSession(FromDevice):
    """One login to the API. Its access tokens are good while this row stands, and of its refresh tokens only `refresh_id` is.

    To end the session is to delete the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_sessions")
    refresh_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return f"API session of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class BrowserSession(FromDevice):
    """What is known of one login in a browser. It goes with Django's session: to end the login is to delete that."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="browser_sessions")
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return f"Browser session of {self.user_id} since {self.started_at:%Y-%m-%d %H:%M}"


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    """Links by whether they still work."""

    def open(self) -> "OneTimeLinkQuerySet":
        """Links that were neither used nor have run out, of users who may log in."""
        return self.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class OneTimeLink(models.Model):
    """Leave to set a user's password once, for whoever has the token. Only its SHA-256 is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="one_time_links")
    digest = models.CharField(max_length=64, unique=True)
    issued_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"Link for {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    """Answers by age."""

    def outdated(self) -> "KeptAnswerQuerySet":
        """Answers that do not come again any more."""
        return self.filter(kept_at__lte=timezone.now() - KeptAnswer.LIFE)


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered: it comes again when the request does. See `accounts.repeats`."""

    LIFE: Final = timedelta(hours=24)

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField()
    kept_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_for_a_key")]

    def __str__(self) -> str:
        return f"Answer {self.status} to {self.user_id} at {self.kept_at:%Y-%m-%d %H:%M}"
