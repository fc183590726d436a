from django.urls import path

from shop.views import offline, pages

app_name = "shop"
urlpatterns = [
    path("offline/", offline.page, name="offline"),
    path("pages/<slug:slug>/", pages.page, name="page"),
]
