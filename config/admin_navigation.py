"""The admin's side menu: what the person may see of each app, grouped by what people do."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _


def list_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups for the admin's look; an entry appears once its model has an admin."""
    groups = [
        (
            _("Sales"),
            [
                ("orders.Order", _("Orders"), "receipt_long"),
                ("orders.SellerOrder", _("Orders to pack"), "package_2"),
                ("payments.PaymentAttempt", _("Payments"), "credit_card"),
                ("payments.Refund", _("Refunds"), "undo"),
                ("payments.Dispute", _("Disputes"), "gavel"),
                ("payments.ReconciliationBreak", _("Reconciliation"), "rule"),
                ("cart.ShippingZone", _("Delivery zones"), "public"),
                ("cart.ShippingMethod", _("Delivery methods"), "local_shipping"),
            ],
        ),
        (
            _("Catalogue"),
            [
                ("catalog.Product", _("Products"), "inventory_2"),
                ("catalog.Review", _("Reviews"), "reviews"),
                ("catalog.StockLevel", _("Stock"), "warehouse"),
                ("catalog.Category", _("Categories"), "account_tree"),
                ("catalog.Collection", _("Collections"), "collections_bookmark"),
                ("catalog.Attribute", _("Attributes"), "tune"),
                ("catalog.ImageAsset", _("Pictures"), "image"),
                ("catalog.ImportRun", _("Imports"), "upload"),
                ("catalog.Synonym", _("Synonyms"), "sync_alt"),
                ("catalog.SearchRecord", _("Searches"), "manage_search"),
            ],
        ),
        (_("Content"), [("shop.Page", _("Pages"), "article")]),
        (
            _("People"),
            [
                ("accounts.Seller", _("Sellers"), "storefront"),
                ("accounts.SellerMember", _("Sellers' people"), "badge"),
                ("accounts.User", _("People"), "person"),
                ("account.EmailAddress", _("Email addresses"), "alternate_email"),
                ("auth.Group", _("Groups"), "group"),
                ("accounts.AuditEntry", _("Who changed what"), "history"),
            ],
        ),
        (
            _("System"),
            [
                ("shop.Mail", _("Mails"), "mail"),
                ("shop.OutboxMessage", _("Tasks"), "outbox"),
                ("payments.ProviderEvent", _("Provider events"), "webhook"),
                ("shop.TaxClass", _("Tax classes"), "category"),
                ("shop.TaxRate", _("Tax rates"), "percent"),
            ],
        ),
    ]
    home = {"title": _("To do"), "icon": "checklist", "link": reverse("admin:index")}
    menu: list[dict[str, Any]] = [{"items": [home]}]
    for title, entries in groups:
        items = [
            {"title": name, "icon": icon, "link": link}
            for label, name, icon in entries
            if (link := _link(request, label))
        ]
        if items:
            menu.append({"title": title, "separator": True, "items": items})
    return menu


def _link(request: HttpRequest, label: str) -> str:
    """Return the list of a model, or nothing when there is none that the person may see."""
    try:
        model = apps.get_model(label)
    except LookupError:
        return ""
    if not admin.site.is_registered(model):
        return ""
    model_admin = admin.site.get_model_admin(model)
    if not (
        model_admin.has_module_permission(request) and model_admin.has_view_permission(request)
    ):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
