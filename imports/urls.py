"""Routes of the imports pages."""

from django.urls import path

from imports import views

app_name = "imports"
urlpatterns = [
    path("sources", views.source_list, name="source-list"),
    path("sources/unresolved", views.unresolved_list, name="unresolved-list"),
    path("sources/translated", views.translated_list, name="translated-list"),
    path("sources/<slug:slug>", views.source_detail, name="source-detail"),
    path("runs", views.run_list, name="run-list"),
    path("runs/<int:pk>", views.run_detail, name="run-detail"),
    path("runs/<int:pk>/issues", views.run_issues, name="run-issues"),
]
