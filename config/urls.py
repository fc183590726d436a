"""The whole address space. The default language has no prefix, others live under `/<language>/`."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from accounts.views import cookies
from catalog.views import feed, media, sitemaps
from payments.views import webhooks
from shop.views import health, mailbox, offline, root_files, styleguide

handler500 = "shop.views.broken.broken"
handler429 = "shop.views.limited.too_many"  # Asked for by allauth.

urlpatterns = [
    path("livez", health.live, name="livez"),
    path("readyz", health.ready, name="readyz"),
    path("favicon.ico", root_files.favicon, name="favicon"),
    path("site.webmanifest", root_files.manifest, name="manifest"),
    path("robots.txt", root_files.robots, name="robots"),
    path(".well-known/gpc.json", cookies.global_privacy_control, name="gpc"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/<slug:name>.xml", sitemaps.section, name="sitemap_section"),
    path("feeds/google.xml", feed.google, name="google_feed"),
    path("service-worker.js", offline.worker, name="service_worker"),
    path(
        "payments/webhooks/stripe/",
        webhooks.receive,
        {"provider": "stripe"},
        name="stripe_webhook",
    ),
    path(
        "payments/webhooks/paypal/",
        webhooks.receive,
        {"provider": "paypal"},
        name="paypal_webhook",
    ),
    path("media/<path:name>", media.serve, name="media"),
    path("admin/", admin.site.urls),
]
if not settings.IS_PRODUCTION:
    urlpatterns += [path("styleguide/", styleguide.styleguide, name="styleguide")]
    if not settings.HAS_MAIL_SERVER:
        urlpatterns += [
            path("mailbox/", mailbox.mailbox, name="mailbox"),
            path("mailbox/<int:mail_id>/", mailbox.mail, name="mailbox_mail"),
        ]
urlpatterns += i18n_patterns(
    path("accounts/", include("config.account_urls")),
    path("", include("accounts.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("", include("cart.urls")),
    path("", include("shop.urls")),
    path("", include("catalog.urls")),
    prefix_default_language=False,
)
