from django.urls import path

from orders.views import account, checkout, checkout_fields, order

app_name = "orders"
urlpatterns = [
    path("account/", account.overview, name="account"),
    path("account/claim/", account.claim, name="claim"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/addresses/", checkout_fields.find_addresses, name="addresses"),
    path("checkout/fields/<slug:name>/", checkout_fields.check_field, name="check_field"),
    path("orders/<slug:number>/", order.detail, name="detail"),
    path("orders/<slug:number>/returned/", order.returned, name="returned"),
    path("orders/<slug:number>/status/", order.status, name="status"),
    path("orders/<slug:number>/pay/", order.pay, name="pay"),
    path("orders/<slug:number>/again/", order.again, name="again"),
    path("orders/<slug:number>/account/", order.make_account, name="make_account"),
    path("orders/<slug:number>/cancel/", order.cancel, name="cancel"),
]
