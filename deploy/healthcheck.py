"""Ask the web process of this container whether it is up, under a host name that it accepts."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit

address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/livez"
host = urlsplit(os.environ.get("SHOP_URL", "")).netloc or "localhost"
try:
    urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host}), timeout=3)
except OSError as error:
    sys.exit(f"{address}: {error}")
