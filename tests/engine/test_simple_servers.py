"""Channels on simple servers: those that confirm a file without saying which one."""

from __future__ import annotations

from tests.helpers import Store, serve


def test_a_channel_on_pythons_own_server_is_read_again_and_again(store: Store, nasty_channel: str) -> None:
    with serve(nasty_channel.removeprefix("file://")) as place:
        text = f"name: e\nchannels: ['http://{place}']\ndependencies: [nasty-text]\n"
        for _ in range(3):
            view = store.build(text)
            assert view["status"] == "COMPLETED", view["reason"]
            assert store.envstore.channels.search("nasty-text", [f"http://{place}"])
            assert store.envstore.channels.search("nasty-t*", [f"http://{place}"])
