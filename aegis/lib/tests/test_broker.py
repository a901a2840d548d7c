"""Tasks wait in Redis or in files, never elsewhere, and never as anything but JSON."""

from pathlib import Path

from django.conf import settings

from aegis import celery_app
from aegis.lib.broker import broker


def test_without_redis_tasks_wait_in_files_of_the_data_folder(tmp_path):
    made = broker("", tmp_path / "queue")
    assert made["url"] == "filesystem://localhost"
    assert made["transport"] == "aegis.lib.file_broker:Transport"
    assert made["options"] == {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "queue" / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }


def test_redis_hands_a_task_on_only_long_after_it_must_have_ended():
    made = broker("redis://:secret@redis:6379/0", Path("unused"))
    assert made["url"] == "redis://:secret@redis:6379/0"
    assert made["options"]["visibility_timeout"] > 2 * settings.CELERY_TASK_TIME_LIMIT


def test_workers_take_json_only_and_keep_a_task_until_it_is_done():
    conf = celery_app.conf
    assert (conf.accept_content, conf.task_serializer, conf.result_serializer) == (["json"], "json", "json")
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert conf.task_soft_time_limit < conf.task_time_limit


def test_tests_send_tasks_nowhere():
    assert celery_app.conf.broker_url == "memory://"
