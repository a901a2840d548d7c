"""Routes of the intel pages."""

from django.urls import URLPattern, path

from intel import views

app_name = "intel"
urlpatterns: list[URLPattern] = [
    path("actors", views.actor_list, name="actor-list"),
    path("actors/<path:mitre_id>", views.actor_detail, name="actor-detail"),
]
