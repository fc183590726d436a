"""Every script of every page carries the fingerprint of the file that is sent."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

SCRIPT = re.compile(r"<script(?![^>]*ld\+json)([^>]*)>")


@pytest.mark.parametrize("path", ["/", "/cart/", "/accounts/login/", "/nothing/", "/offline/"])
def test_a_script_that_was_changed_on_its_way_is_not_run(path: str) -> None:
    browser = Client()
    tags = SCRIPT.findall(browser.get(path).content.decode())

    for tag in tags:
        source = re.search(r'src="([^"]+)"', tag)
        told = re.search(r'integrity="sha384-([^"]+)"', tag)
        assert source, tag
        assert told, tag
        sent = b"".join(browser.get(source.group(1)))
        assert told.group(1) == base64.b64encode(hashlib.sha384(sent).digest()).decode()

    assert len(tags) >= 2 or path == "/offline/"
