from django.urls import path

from catalog.views import category, home, product, search, seller

app_name = "catalog"
urlpatterns = [
    path("", home.home, name="home"),
    path("categories/<path:path>/", category.category, name="category"),
    path("products/<slug:slug>/", product.product, name="product"),
    path("search/", search.search, name="search"),
    path("search/suggestions/", search.suggestions, name="suggestions"),
    path("sellers/<slug:slug>/", seller.seller, name="seller"),
]
