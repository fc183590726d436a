from django.urls import path

from accounts.views import addresses, cookies, notifications, privacy

app_name = "accounts"
urlpatterns = [
    path("account/privacy/", privacy.overview, name="privacy"),
    path("account/privacy/copy/", privacy.ask_for_copy, name="ask_for_copy"),
    path("account/privacy/copies/<int:copy_id>/", privacy.download, name="data_copy"),
    path("account/privacy/erase/", privacy.erase, name="erase"),
    path("account/erased/", privacy.erased, name="erased"),
    path("cookies/", cookies.overview, name="cookies"),
    path("account/addresses/", addresses.overview, name="addresses"),
    path("account/addresses/add/", addresses.add, name="add_address"),
    path("account/addresses/<int:address_id>/", addresses.change, name="address"),
    path("account/addresses/<int:address_id>/remove/", addresses.remove, name="remove_address"),
    path(
        "account/addresses/<int:address_id>/default/",
        addresses.make_default,
        name="default_address",
    ),
    path("account/notifications/", notifications.preferences, name="notifications"),
    path("mails/<str:key>/", notifications.unsubscribe, name="unsubscribe"),
]
