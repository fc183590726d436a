"""Reads of the catalogue: one function per page, each answering with plain frozen values."""

from catalog.queries.cards import ProductCard, list_cards
from catalog.queries.category import CategoryPage, get_category_page
from catalog.queries.home import HomePage, get_home_page
from catalog.queries.links import category_url, product_url, seller_url
from catalog.queries.navigation import NavItem, list_navigation
from catalog.queries.pictures import Picture, list_variant_pictures
from catalog.queries.product import ProductPage, get_product_page
from catalog.queries.search import SearchPage, get_search_page, get_suggestions
from catalog.queries.sellers import SellerPage, get_seller_page

__all__ = [
    "CategoryPage",
    "HomePage",
    "NavItem",
    "Picture",
    "ProductCard",
    "ProductPage",
    "SearchPage",
    "SellerPage",
    "category_url",
    "get_category_page",
    "get_home_page",
    "get_product_page",
    "get_search_page",
    "get_seller_page",
    "get_suggestions",
    "list_cards",
    "list_navigation",
    "list_variant_pictures",
    "product_url",
    "seller_url",
]
