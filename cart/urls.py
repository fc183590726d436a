from django.urls import path

from cart.views import cart, fragments

app_name = "cart"
urlpatterns = [
    path("cart/", cart.detail, name="detail"),
    path("cart/add/", cart.add, name="add"),
    path("cart/items/<int:item_id>/", cart.item, name="item"),
    path("cart/badge/", fragments.badge, name="badge"),
    path("cart/drawer/", fragments.drawer, name="drawer"),
]
