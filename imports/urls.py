"""Routes of the imports pages."""

from django.urls import path

from imports import bundle_views, decision_views, sync_views, views
from imports.feeds import views as feeds

app_name = "imports"
urlpatterns = [
    path("sources", views.source_list, name="source-list"),
    path("sources/unresolved", views.unresolved_list, name="unresolved-list"),
    path("sources/translated", views.translated_list, name="translated-list"),
    path("sources/sync", sync_views.source_sync_all, name="source-sync-all"),
    path("sources/bundle", bundle_views.bundle_page, name="bundle"),
    path("sources/bundle/export", bundle_views.bundle_export, name="bundle-export"),
    path("sources/<slug:slug>", views.source_detail, name="source-detail"),
    path("sources/<slug:slug>/sync", sync_views.source_sync, name="source-sync"),
    path("sources/<slug:slug>/schedule", sync_views.source_schedule, name="source-schedule"),
    path("runs", views.run_list, name="run-list"),
    path("runs/changes", decision_views.change_list, name="change-list"),
    path("runs/<int:pk>", views.run_detail, name="run-detail"),
    path("runs/<int:pk>/cancel", sync_views.run_cancel, name="run-cancel"),
    path("runs/<int:pk>/progress", sync_views.run_progress, name="run-progress"),
    path("runs/<int:pk>/issues", views.run_issues, name="run-issues"),
    path("runs/<int:pk>/changes.csv", decision_views.run_changes_csv, name="run-changes-csv"),
    path("runs/<int:pk>/apply", decision_views.run_apply, name="run-apply"),
    path("runs/<int:pk>/discard", decision_views.run_discard, name="run-discard"),
    path("runs/<int:pk>/again", decision_views.run_again, name="run-again"),
    path("runs/<int:pk>/undo", decision_views.run_undo, name="run-undo"),
    path("feeds", feeds.feed_list, name="feed-list"),
    path("feeds/new", feeds.feed_new, name="feed-new"),
    path("feeds/scan", feeds.scan_now, name="feed-scan-all"),
    path("feeds/scans", feeds.scan_list, name="scan-list"),
    path("feeds/scans/<int:pk>", feeds.scan_detail, name="scan-detail"),
    path("feeds/<int:pk>", feeds.feed_detail, name="feed-detail"),
    path("feeds/<int:pk>/scan", feeds.scan_now, name="feed-scan"),
    path("feeds/<int:pk>/switch", feeds.feed_switch, name="feed-switch"),
    path("feeds/<int:pk>/archive", feeds.feed_archive, name="feed-archive"),
]
