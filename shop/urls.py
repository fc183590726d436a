from django.urls import path

from shop.views import pages

app_name = "shop"
urlpatterns = [
    path("pages/<slug:slug>/", pages.page, name="page"),
]
