"""How gunicorn serves the site in a container: `gunicorn --config aegis/gunicorn.py aegis.wsgi`; GUNICORN_CMD_ARGS adds."""

import os
from pathlib import Path
from typing import Any

from prometheus_client.multiprocess import mark_process_dead

if counted_in := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(counted_in).mkdir(mode=0o700, parents=True, exist_ok=True)

bind = "0.0.0.0:8000"
workers = int(os.environ.get("WEB_WORKERS", "3"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"
# Of a worker, not of a request: its threads may wait for an import or a large file while it says that it lives.
timeout = 60
graceful_timeout = 30
keepalive = 5
# A worker is replaced now and then, not all at once, whatever a library may have leaked.
max_requests = 5000
max_requests_jitter = 500
# Signs of life go through memory: a slow disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108
accesslog = None  # addresses may hold one-time links; the proxy has its own log
errorlog = "-"
loglevel = "warning"
control_socket_disable = True  # the engine starts and stops; nobody else gives orders


def on_starting(_server: Any) -> None:
    """Nobody counts yet: what lies in the folder was counted by processes of an earlier start, whose numbers come again."""
    for left in Path(counted_in).glob("*.db") if counted_in else ():
        left.unlink()


def child_exit(_server: Any, worker: Any) -> None:
    """A worker has ended: what it counted stays, what it showed of itself goes."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
