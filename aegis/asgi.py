"""ASGI entry point."""

import os

from django.core.asgi import get_asgi_application

from aegis.lib.boot import require_sound_environment
from aegis.lib.charset import utf8_only_async

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
require_sound_environment()
application = utf8_only_async(get_asgi_application())
