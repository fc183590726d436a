from django.urls import path

from payments.views import cards

app_name = "payments"
urlpatterns = [
    path("account/cards/", cards.overview, name="cards"),
    path("account/cards/<slug:card_id>/remove/", cards.remove, name="remove_card"),
]
