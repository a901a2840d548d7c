"""App configuration: `aegis.lib` has no models, only template tags and shared code."""

from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "aegis.lib"
    label = "lib"
