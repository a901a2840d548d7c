"""Views of the matrix that people keep: their own alone."""

from django.core.exceptions import ValidationError
from django.db import transaction

from aegis.accounts.models import User
from aegis.audit.recording import record
from coverage.models import SavedView
from coverage.services.writing import lock_person

MOST = 100
"""Views of one user."""


@transaction.atomic
def save_view(*, by: User, name: str, query: str) -> SavedView:
    """Keep an address under a name; a view of that name is replaced. Raises ValidationError {field: messages}."""
    lock_person(by)  # of two saves at once the second replaces the first
    own = SavedView.objects.filter(user=by)
    standing = own.filter(name=name.strip()).first()
    if standing is None and own.count() >= MOST:
        raise ValidationError({"name": [f"You keep {MOST} views already: delete one first."]})
    view = standing or SavedView(user=by, name=name.strip())
    before = {"query": view.query}
    view.query = query
    view.full_clean(exclude=["user"], validate_constraints=False)
    view.save()
    record(by, "view.saved", view, before=before, after={"name": view.name, "query": view.query})
    return view


@transaction.atomic
def rename_view(*, by: User, view: SavedView, name: str) -> SavedView:
    """The view under another name. Raises ValidationError {field: messages}."""
    before, view.name = view.name, name.strip()
    if SavedView.objects.filter(user=by, name=view.name).exclude(pk=view.pk).exists():
        raise ValidationError({"name": ["You have a view of this name already."]})
    view.full_clean(exclude=["user"], validate_constraints=False)
    view.save()
    record(by, "view.renamed", view, before={"name": before}, after={"name": view.name})
    return view


@transaction.atomic
def delete_view(*, by: User, view: SavedView) -> None:
    """Forget a view."""
    record(by, "view.deleted", view, before={"name": view.name, "query": view.query})
    view.delete()
