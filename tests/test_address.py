"""Addresses as people write them."""

import pytest

from cooee import address


@pytest.mark.parametrize("url", ["http://[fe80::1", "http://host:port/", "http://host:99999/"])
def test_an_address_with_a_slip_is_refused_in_a_sentence_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL: check its host and its port") as refused:
        address.parts(url)
    assert "host:" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("localhost", True), ("127.0.0.2", True), ("::1", True), ("192.168.0.2", False), ("localhost.de", False)],
)
def test_only_this_machine_is_spoken_to_past_a_proxy(host: str, is_here: bool) -> None:
    assert address.is_here(host) is is_here


def test_an_address_without_a_host_is_not_here() -> None:
    assert not address.is_here(address.parts("https:///v1").hostname)
