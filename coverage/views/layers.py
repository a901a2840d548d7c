"""Layers that people uploaded: the list, the page of one, a new one."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.lib.body_limit import is_too_long
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import Resolution
from coverage.evidence.vault import TooLarge
from coverage.layers.listing import listed
from coverage.list_tables import LAYER_TECHNIQUES, LAYERS
from coverage.models import Layer
from coverage.services.layers import delete_layer, upload_layer
from coverage.testing.forms import Styled


class LayerForm(Styled):
    """Everything that `upload_layer` takes, by name."""

    file = forms.FileField(
        label="Layer file", allow_empty_file=True, help_text="JSON of ATT&CK Navigator 4.0 to 4.5, or of DeTT&CT."
    )
    name = forms.CharField(max_length=255, required=False, help_text="The layer's own name unless you give one.")
    description = forms.CharField(max_length=1000, required=False)
    purpose = forms.ChoiceField(
        choices=Layer.Purpose.choices,
        help_text="An overlay says something of techniques. A threat profile is what a threat is expected to do.",
    )
    is_shared = forms.BooleanField(required=False, label="Show it to everybody")


@require_action("layer.read")
@require_safe
def layer_list(request: HttpRequest) -> HttpResponseBase:
    """The layers that the visitor uploaded, and those that are shared, the newest first."""
    layers = listed(Layer.objects.visible_to(cast(User, request.user)))
    if (file := exported(request, LAYERS, layers)) is not None:
        return file
    return render_page(request, "coverage/layer_list.html", {"page": paginate(request, layers)}, partial="list")


@require_action("layer.read")
@require_safe
def layer_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One layer: what it marks, and the ids in it that mean nothing here."""
    user = cast(User, request.user)
    layer = get_object_or_404(listed(Layer.objects.visible_to(user)), pk=pk)
    rows = layer.techniques.select_related("technique").order_by("-marks", "published_id")
    if (file := exported(request, LAYER_TECHNIQUES, rows)) is not None:
        return file
    context = {
        "layer": layer,
        "page": paginate(request, rows, per_page=100),
        "unresolved": list(rows.filter(resolution=Resolution.UNRESOLVED)[:50]),
        "may_delete": allows(user, "layer.delete", layer),
    }
    return render_page(request, "coverage/layer_detail.html", context, partial="list")


# The token stands in the body: it is asked for after the length of the body, which is refused unread where it is too long.
@require_action("layer.upload")
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def layer_new(request: HttpRequest) -> HttpResponse:
    """Upload a layer."""
    if is_too_long(request, settings.LAYER_MAX_BYTES):
        return _form(
            request, LayerForm(), f"A layer may have {settings.LAYER_MAX_BYTES // (1024 * 1024)} MB.", status=413
        )
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    form = LayerForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return _form(request, form, status=400 if form.is_bound else 200)
    try:
        layer = upload_layer(by=cast(User, request.user), **form.cleaned_data)
    except TooLarge as error:
        return _form(request, form, str(error), status=413)
    except ValidationError as error:
        for texts in error.message_dict.values():
            form.add_error("file", texts)
        return _form(request, form, status=400)
    messages.success(request, f"The layer is kept: it names {layer.techniques.count()} techniques.")
    return redirect(layer)


def _form(request: HttpRequest, form: LayerForm, refusal: str = "", *, status: int) -> HttpResponse:
    return render_page(request, "coverage/layer_new.html", {"form": form, "refusal": refusal}, status=status)


@require_action("layer.delete")
@require_POST
def layer_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a layer away."""
    user = cast(User, request.user)
    layer = get_object_or_404(Layer.objects.visible_to(user), pk=pk)
    delete_layer(by=user, layer=layer)
    messages.success(request, f"The layer {layer.name} is deleted.")
    return redirect("coverage:layer-list")
