"""Routes of the catalog pages."""

from django.urls import URLPattern, path

from catalog.views import defences, rules, templates

app_name = "catalog"
urlpatterns: list[URLPattern] = [
    path("templates", templates.template_list, name="template-list"),
    path("templates/<int:pk>", templates.template_detail, name="template-detail"),
    path("rules", rules.rule_list, name="rule-list"),
    path("rules/<int:pk>", rules.rule_detail, name="rule-detail"),
    path("defences", defences.defence_list, name="defence-list"),
    path("defences/<path:d3fend_id>", defences.defence_detail, name="defence-detail"),
]
