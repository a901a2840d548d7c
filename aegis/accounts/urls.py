"""Routes of the accounts."""

from django.urls import path, re_path

from aegis.accounts.views import entry, profile, users

app_name = "accounts"
urlpatterns = [
    path("accounts/login", entry.log_in, name="login"),
    path("accounts/logout", entry.log_out, name="logout"),
    path("accounts/confirm", entry.confirm, name="confirm"),
    re_path(r"^accounts/link/(?P<token>[A-Za-z0-9_-]{1,64})$", entry.one_time_link, name="link"),
    path("accounts/profile", profile.profile, name="profile"),
    path("accounts/password", profile.password, name="password"),
    path("accounts/sessions/end-others", profile.end_other_sessions, name="end-other-sessions"),
    path("accounts/sessions/<int:pk>/end", profile.end_browser_session, name="end-browser-session"),
    path("accounts/api-sessions/<uuid:pk>/end", profile.end_api_session, name="end-api-session"),
    path("users", users.user_list, name="user-list"),
    path("users/new", users.user_new, name="user-new"),
    path("users/<int:pk>", users.user_detail, name="user-detail"),
    path("users/<int:pk>/link", users.user_link, name="user-link"),
    path("users/<int:pk>/end-sessions", users.user_end_sessions, name="user-end-sessions"),
    path("users/<int:pk>/sessions/<int:session>/end", users.user_end_browser_session, name="user-end-browser-session"),
    path("users/<int:pk>/api-sessions/<uuid:session>/end", users.user_end_api_session, name="user-end-api-session"),
]
