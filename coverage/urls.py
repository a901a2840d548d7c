"""Routes of the coverage pages."""

from django.urls import path

from coverage.views import home, matrix, techniques

app_name = "coverage"
urlpatterns = [
    path("", home.home_page, name="home"),
    path("matrix", matrix.matrix_page, name="matrix"),
    path("techniques", techniques.technique_list, name="technique-list"),
    path("techniques/<str:mitre_id>", techniques.technique_detail, name="technique"),
]
