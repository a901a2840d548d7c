"""WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created
from django.urls import get_resolver

from aegis.lib.boot import require_sound_environment
from aegis.lib.charset import utf8_only
from aegis.lib.patience import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
require_sound_environment()
application = utf8_only(get_wsgi_application())
connection_created.connect(limit_statements)
# A process takes requests once all its code is loaded: the first of them would wait a second for the views.
routes = get_resolver().url_patterns
