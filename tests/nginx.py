"""nginx with the site of `deploy/`, before whatever answers for the shop."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwuid

import httpx
import pytest
from django.conf import settings

from bench.server import free_port
from tests.processes import wait_until

NGINX = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


@contextmanager
def nginx_before(shop: str, folder: Path) -> Iterator[str]:
    """Run nginx with the site of `deploy/nginx.conf` before a web process."""
    program = shutil.which("nginx")
    if not program:
        pytest.skip("no nginx is installed")
    port = free_port()
    site = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
    for ours, theirs in {
        "/var/cache/nginx/pages": f"{folder}/pages",
        "server web:8000;": f"server {shop.removeprefix('http://')};",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "root /usr/share/nginx;": f"root {settings.BASE_DIR}/deploy;",
        "/var/log/nginx/access.log": f"{folder}/access.log",
        "proxy_set_header Host $host;": "proxy_set_header Host 127.0.0.1;",
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    user = getpwuid(os.geteuid()).pw_name  # Else its workers may not enter the folder.
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, site=site))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{address}/livez") or process.poll() is not None, "nginx runs")
        yield address
    finally:
        process.terminate()
        process.wait(15)


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(url).status_code)
    except httpx.HTTPError:
        return False
