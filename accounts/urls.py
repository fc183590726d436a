from django.urls import path

from accounts.views import addresses, notifications

app_name = "accounts"
urlpatterns = [
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
