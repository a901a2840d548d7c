"""ASGI entry point."""

import os

from django.core.asgi import get_asgi_application
from django.db.backends.signals import connection_created

from aegis.lib.boot import require_sound_environment
from aegis.lib.charset import utf8_only_async
from aegis.lib.patience import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
require_sound_environment()
application = utf8_only_async(get_asgi_application())
connection_created.connect(limit_statements)
