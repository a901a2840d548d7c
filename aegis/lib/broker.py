"""Where tasks wait for a worker: Redis where `REDIS_URL` names one, else files in a folder of this machine."""

from pathlib import Path
from typing import Any, Final

REDELIVER_AFTER: Final = 7200
"""Seconds after which Redis hands a task that nobody acknowledged to another worker: well above the hard time limit."""


def broker(redis_url: str, folder: Path) -> dict[str, Any]:
    """The Celery settings of the broker: `url`, `transport`, `options`. `folder` keeps the messages where there is no Redis."""
    if redis_url:
        patience = {"socket_connect_timeout": 3, "socket_timeout": 30, "health_check_interval": 30}
        return {"url": redis_url, "transport": None, "options": {"visibility_timeout": REDELIVER_AFTER, **patience}}
    places = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    return {
        "url": "filesystem://localhost",
        "transport": "aegis.lib.file_broker:Transport",
        "options": {**places, "store_processed": False, "polling_interval": 0.1},
    }
