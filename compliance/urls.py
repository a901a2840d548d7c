"""Routes of the compliance pages."""

from django.urls import URLPattern, path

from compliance import views

app_name = "compliance"
urlpatterns: list[URLPattern] = [
    path("compliance", views.control_list, name="control-list"),
    path("compliance/controls/<int:pk>", views.control_detail, name="control-detail"),
]
