"""The pages' entry: one WSGI application, served by granian."""

import os

from django.core.wsgi import get_wsgi_application

from config import postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
postgres.ensure_started()
application = get_wsgi_application()
