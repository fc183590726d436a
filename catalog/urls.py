from django.urls import path

from catalog.views import (
    cards,
    category,
    collection,
    home,
    product,
    restock,
    reviews,
    search,
    seller,
    wishlists,
)

app_name = "catalog"
urlpatterns = [
    path("", home.home, name="home"),
    path("categories/<path:path>/", category.category, name="category"),
    path("collections/<slug:slug>/", collection.collection, name="collection"),
    path("cards/", cards.cards, name="cards"),
    path("products/<slug:slug>/", product.product, name="product"),
    path("products/<slug:slug>/reviews/", reviews.listing, name="reviews"),
    path("products/<slug:slug>/reviews/write/", reviews.write, name="write_review"),
    path("back-in-stock/", restock.ask, name="restock"),
    path("back-in-stock/sent/", restock.sent, name="restock_sent"),
    path("back-in-stock/<str:key>/", restock.manage, name="restock_manage"),
    path("wishlists/", wishlists.overview, name="wishlists"),
    path("wishlists/save/", wishlists.save, name="save"),
    path("wishlists/<int:list_id>/", wishlists.detail, name="wishlist"),
    path("wishlists/<int:list_id>/sharing/", wishlists.sharing, name="wishlist_sharing"),
    path("wishlists/items/<int:item_id>/", wishlists.item, name="wishlist_item"),
    path("wishlists/shared/<slug:key>/", wishlists.shared, name="shared_wishlist"),
    path("reviews/<int:review_id>/helpful/", reviews.helpful, name="helpful"),
    path("search/", search.search, name="search"),
    path("search/suggestions/", search.suggestions, name="suggestions"),
    path("sellers/<slug:slug>/", seller.seller, name="seller"),
]
