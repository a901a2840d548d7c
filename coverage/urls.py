"""Routes of the coverage pages."""

from django.urls import path

from coverage.views import (
    campaigns,
    evidence,
    halves,
    home,
    matrix,
    matrix_files,
    my_work,
    review,
    techniques,
    tests,
    writes,
)

app_name = "coverage"
urlpatterns = [
    path("", home.home_page, name="home"),
    path("work", my_work.my_work, name="my-work"),
    path("matrix", matrix.matrix_page, name="matrix"),
    path("matrix.csv", matrix_files.matrix_csv, name="matrix-csv"),
    path("techniques", techniques.technique_list, name="technique-list"),
    path("techniques/<str:mitre_id>", techniques.technique_detail, name="technique"),
    path("techniques/<str:mitre_id>/review", review.mark_reviewed, name="technique-review"),
    path("tests", tests.board, name="test-list"),
    path("tests/new", tests.new_test, name="test-new"),
    path("tests/<int:pk>", tests.one_test, name="test-detail"),
    path("tests/<int:pk>/red", halves.red_half, name="test-red"),
    path("tests/<int:pk>/blue", halves.blue_half, name="test-blue"),
    path("tests/<int:pk>/submit", writes.submit, name="test-submit"),
    path("tests/<int:pk>/validate", writes.validate, name="test-validate"),
    path("tests/<int:pk>/reject", writes.reject, name="test-reject"),
    path("tests/<int:pk>/archive", writes.archive, name="test-archive"),
    path("tests/<int:pk>/evidence", writes.add_evidence, name="test-evidence"),
    path("campaigns", campaigns.campaign_list, name="campaign-list"),
    path("campaigns/new", campaigns.campaign_new, name="campaign-new"),
    path("campaigns/<int:pk>", campaigns.campaign_detail, name="campaign-detail"),
    path("campaigns/<int:pk>/retest", campaigns.campaign_retest, name="campaign-retest"),
    path("evidence/<uuid:pk>", evidence.evidence_download, name="evidence-download"),
    path("evidence/<uuid:pk>/<str:ticket>", evidence.evidence_ticket, name="evidence-ticket"),
]
