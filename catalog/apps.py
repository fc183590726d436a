from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import checkups, holdings, invariants, receivers  # noqa: F401
        from catalog.services import searches
        from shop import notes

        notes.register("search", searches.note)
