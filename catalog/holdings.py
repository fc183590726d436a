"""What the tables of this app know of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.privacy import (
    CONSENT,
    CONTRACT,
    INTEREST,
    Erasure,
    declare,
    declare_impersonal,
)

REVIEWS = _("Your reviews with their photographs, and your votes for others'")
WISHES = _("Your wishlists, and what you wanted to be told of")

declare(
    "catalog.Review",
    "author email name title text refusal answer decided_by",
    title=REVIEWS,
    purpose="To tell others what somebody thinks of a product",
    kept="Until erased, or the product is deleted",
    ground=CONSENT,
    section="reviews",
    erasure=Erasure.DELETED,
    remark="the copy does not say who of the staff decided",
    rest="language",
)
declare(
    "catalog.ReviewPhoto",
    "review asset",
    title=REVIEWS,
    purpose="Photographs that belong to a review",
    kept="As long as the review",
    ground=CONSENT,
    section="reviews",
    erasure=Erasure.DELETED,
)
declare(
    "catalog.ImageAsset",
    "original",
    title=REVIEWS,
    purpose="Pictures of products, and of reviews",
    kept="Those of a review as long as the review",
    ground=CONSENT,
    section="reviews",
    erasure=Erasure.DELETED,
    remark="with their files, unless something else shows the same picture",
    rest="checksum base renditions error",
)
declare(
    "catalog.HelpfulVote",
    "user review",
    title=REVIEWS,
    purpose="One vote for each person",
    kept="Until taken back or erased",
    ground=CONSENT,
    section="votes",
    erasure=Erasure.DELETED,
)
declare(
    "catalog.Wishlist",
    "owner name share_key",
    title=WISHES,
    purpose="What somebody keeps in mind",
    kept="Until deleted; guests' 60 days after the last change",
    ground=CONTRACT,
    section="wishlists",
    erasure=Erasure.DELETED,
)
declare(
    "catalog.WishlistItem",
    "wishlist variant",
    title=WISHES,
    purpose="What somebody keeps in mind",
    kept="As long as the list",
    ground=CONTRACT,
    section="wishlists",
    erasure=Erasure.DELETED,
)
declare(
    "catalog.RestockRequest",
    "email",
    title=WISHES,
    purpose="To write once when something is there again",
    kept="7 days unconfirmed, 30 days after the mail",
    ground=CONSENT,
    section="restock",
    erasure=Erasure.DELETED,
    rest="language",
)
declare(
    "catalog.Purchase",
    "user email order_number",
    title=REVIEWS,
    purpose="Who may review a product as its buyer",
    kept="As long as the address on the order",
    ground=CONTRACT,
    section="purchases",
    erasure=Erasure.DELETED,
)
declare(
    "catalog.SearchRecord",
    "words",
    title=_("Searches for your own name or address"),
    purpose="What is looked for, by day and word; nothing tells who looked",
    kept="`RETENTION_SEARCH_DAYS`",
    ground=INTEREST,
    erasure=Erasure.DELETED,
    remark="where somebody looked for their own address or name. Not in the copy: nobody knows whose",
)
declare(
    "catalog.StockMovement",
    "actor reason",
    title="",
    purpose="Why a shelf holds what it holds",
    kept="As long as the shop",
    ground=INTEREST,
    erasure=Erasure.EMPTIED,
    remark="the shelf's history stays, without who did it. Not in the copy: it is about goods",
    rest="reference",
)
declare(
    "catalog.ImportRun",
    "actor file_name error",
    title="",
    purpose="What became of an import",
    kept="90 days",
    ground=INTEREST,
    erasure=Erasure.EMPTIED,
    remark="without who did it. Not in the copy: it is about goods",
    rest="format checksum encoding language",
)
declare_impersonal("goods, how they are described and found",
    "catalog.Attribute", "catalog.AttributeValue", "catalog.BoughtTogether", "catalog.Category",
    "catalog.Collection", "catalog.Collection_categories", "catalog.Collection_sellers",
    "catalog.CollectionItem", "catalog.FormerPrice", "catalog.Option", "catalog.OptionValue",
    "catalog.PictureSource", "catalog.Product", "catalog.ProductImage", "catalog.ProductRelation",
    "catalog.ProductVariant", "catalog.ProductVariant_option_values", "catalog.StockLevel",
    "catalog.Synonym", "catalog.Word",
)  # fmt: skip
declare_impersonal("files of goods while they are imported",
    "catalog.ImportFinding", "catalog.ImportPart", "catalog.ImportPicture",
)  # fmt: skip
