"""All routes: pages have no trailing slash; the API answers with and without one."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from aegis.accounts.access import require_action
from aegis.accounts.views.entry import log_out
from aegis.health import health, ready
from aegis.metrics import metrics

handler500 = "aegis.faults.fault"
urlpatterns = [
    re_path(r"^health/?$", health, name="health"),
    re_path(r"^health/ready/?$", ready, name="ready"),
    re_path(r"^health/metrics/?$", metrics, name="metrics"),
    path("", include("coverage.urls")),
    path("", include("catalog.urls")),
    path("", include("coverage.actor_urls")),
    path("", include("coverage.compliance_urls")),
    path("", include("imports.urls")),
    path("", include("aegis.audit.urls")),
    path("", include("aegis.accounts.urls")),
    path("api/", include("aegis.api")),
    # The admin's own form neither counts wrong passwords nor tells anybody of the change.
    path(
        "admin/password_change/", require_action("account.use")(RedirectView.as_view(pattern_name="accounts:password"))
    ),
    path("admin/logout/", log_out),  # the admin's own leaves its pages in the browser's cache
    path("admin/", admin.site.urls),
]
