"""Routes of the audit trail."""

from django.urls import path

from aegis.audit import views

app_name = "audit"
urlpatterns = [
    path("audit", views.log_list, name="log-list"),
    path("audit.csv", views.log_export, name="log-export"),
]
