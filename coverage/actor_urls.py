"""Routes of the pages of threat actors, which show how tests stand to what the actors do."""

from django.urls import URLPattern, path

from coverage.views import actors

app_name = "intel"
urlpatterns: list[URLPattern] = [
    path("actors", actors.actor_list, name="actor-list"),
    path("actors/compare", actors.actor_compare, name="actor-compare"),
    path("actors/<path:mitre_id>", actors.actor_detail, name="actor-detail"),
]
