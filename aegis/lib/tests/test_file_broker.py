"""Messages that wait in files arrive whole, each once, whoever looks into the folder at that moment."""

from threading import Thread

import pytest
from kombu import Connection, Exchange, Queue
from kombu.transport.virtual import Empty

from aegis.lib.broker import broker

MESSAGES = 1500


@pytest.fixture
def connection(tmp_path):
    with connected(tmp_path) as made:
        yield made


def connected(folder):
    made = broker("", folder)
    return Connection(made["url"], transport=made["transport"], transport_options=made["options"])


def test_no_message_is_read_before_it_is_whole(connection, tmp_path):
    def send():
        with connected(tmp_path) as sender, sender.SimpleQueue("aegis") as queue:
            for number in range(MESSAGES):
                queue.put({"number": number, "text": "x" * 2000})

    def take():
        try:
            return channel._get("aegis")
        except Empty:
            return None

    channel = connection.default_channel
    sending = Thread(target=send)
    sending.start()
    taken = []
    while sending.is_alive() or channel._size("aegis"):
        taken += [message for message in [take()] if message]
    sending.join()
    assert len(taken) == MESSAGES
    assert list(tmp_path.glob("*.*")) == []


def test_message_that_was_cut_short_costs_only_itself(connection, tmp_path):
    connection.default_channel._put("aegis", {"body": "whole"})
    (tmp_path / "0_cut.aegis.msg").touch()
    with pytest.raises(Empty):
        connection.default_channel._get("aegis")
    assert connection.default_channel._get("aegis") == {"body": "whole"}
    with pytest.raises(Empty):
        connection.default_channel._get("aegis")


def test_table_of_an_exchange_is_whole_from_the_first_moment(tmp_path):
    wrong: list[str] = []

    def bind(name):
        with connected(tmp_path) as one:
            Queue(name, Exchange("told", type="fanout"), channel=one.default_channel).declare()

    def look():
        with connected(tmp_path) as one:
            while any(thread.is_alive() for thread in binding):
                try:
                    one.default_channel.get_table("told")
                except ValueError as error:
                    wrong.append(str(error))

    binding = [Thread(target=bind, args=[f"queue-{number}"]) for number in range(40)]
    looking = Thread(target=look)
    for thread in binding:
        thread.start()
    looking.start()
    for thread in [*binding, looking]:
        thread.join()
    assert wrong == []
    with connected(tmp_path) as one:
        found = {entry.queue for entry in one.default_channel.get_table("told")}
    assert found == {f"queue-{number}" for number in range(40)}
