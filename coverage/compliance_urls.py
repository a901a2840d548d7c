"""Routes of the compliance pages, which show how tests stand to what the catalogue claims."""

from django.urls import URLPattern, path

from coverage.views import compliance, oscal

app_name = "compliance"
urlpatterns: list[URLPattern] = [
    path("compliance", compliance.control_list, name="control-list"),
    path("compliance/frameworks", compliance.framework_list, name="framework-list"),
    path("compliance/frameworks/<slug:slug>", compliance.framework_detail, name="framework-detail"),
    path("compliance/frameworks/<slug:slug>/oscal.json", oscal.assessment_results, name="framework-oscal"),
    path("compliance/frameworks/<slug:slug>/switch", compliance.framework_switch, name="framework-switch"),
    path("compliance/conflicts", compliance.conflict_list, name="conflict-list"),
    path("compliance/controls/<int:pk>", compliance.control_detail, name="control-detail"),
]
