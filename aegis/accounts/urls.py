"""Routes of the accounts."""

from django.urls import path

from aegis.accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/login", views.log_in, name="login"),
    path("accounts/logout", views.log_out, name="logout"),
]
