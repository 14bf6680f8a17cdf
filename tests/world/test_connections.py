"""Connections of `http.client`: objects like others, of which none comes to be connected."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

SOURCE = """
import http.client, queue, socket

class M(Model):
    def setup(self):
        self.pool = queue.LifoQueue(1)

    @thread(2)
    def t(self):
        connection = http.client.HTTPConnection("host", timeout=socket.getdefaulttimeout())
        try:
            self.pool.put_nowait(connection)
        except queue.Full:
            connection.close()
            connection = self.pool.get()
        assert connection.host == "host" and connection.timeout is None
        LAST
"""


@pytest.mark.slow  # the code of several modules is followed
def test_a_pool_of_them(tmp_path: Path) -> None:
    assert verdict(tmp_path, SOURCE.replace("LAST", "pass")) == "verified"


@pytest.mark.slow
def test_it_is_not_connected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no modelled counterpart"):
        verdict(tmp_path, SOURCE.replace("LAST", "connection.request('GET', '/')"))
