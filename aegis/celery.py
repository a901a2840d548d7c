"""The Celery application: `celery -A aegis worker`, `celery -A aegis beat`. All settings are CELERY_* in aegis/settings.py."""

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, celeryd_init

from aegis.lib.boot import require_sound_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
program = Path(sys.argv[0])
if "celery" in (
    program.name,
    program.parent.name,
):  # `celery` and `python -m celery`; the other programs ask themselves
    require_sound_environment()

app = Celery("aegis", task_cls="aegis.lib.worker_pool:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@before_task_publish.connect
@celeryd_init.connect
def make_folders(**_: Any) -> None:
    """The folders of a broker of files, for this user only."""
    options = app.conf.broker_transport_options
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(mode=0o700, parents=True, exist_ok=True)
