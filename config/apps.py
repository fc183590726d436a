from django.contrib.admin.apps import AdminConfig


class EmporiumAdminConfig(AdminConfig):
    """Make the shop's own admin site the one that `admin.register` fills, and Celery ours."""

    default_site = "config.admin_site.EmporiumAdminSite"

    def ready(self) -> None:
        super().ready()
        from config import celery

        celery.app.set_default()
