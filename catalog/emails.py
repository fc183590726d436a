"""How the catalogue's mails read: a headline, what happened, one thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.queries.links import absolute
from catalog.queries.pictures import Picture, get_mail_picture
from catalog.queries.restock import WantedVariant
from shop.emails import RenderedMail, render_mail


@dataclass(frozen=True, slots=True)
class Notice:
    """What a mail says. `quote` is what somebody wrote, `reason` why this person gets the mail."""

    subject: str
    headline: str
    text: str
    button: str
    url: str
    reason: str
    quote: str = ""
    note: str = ""
    picture: Picture | None = None
    unsubscribe_url: str = ""


def render(notice: Notice) -> RenderedMail:
    """Render a notice in the active language; addresses become absolute."""
    context = {
        "notice": notice,
        "url": absolute(notice.url),
        "picture": get_mail_picture(notice.picture),
    }
    return render_mail("notice", subject=notice.subject, context=context)


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """A review as mails tell of it."""

    product: str
    slug: str
    name: str
    stars: int
    title: str
    text: str
    answer: str
    refusal: str
    seller: str

    @property
    def quote(self) -> str:
        return "\n".join(filter(None, [f"{'★' * self.stars}  {self.title}".strip(), self.text]))


def tell_seller_of_review(review: ReviewFacts, *, url: str) -> RenderedMail:
    """Write to the seller of a review that everybody can read now; `url` is where to answer it."""
    facts = {"product": review.product, "name": review.name, "stars": review.stars}
    return render(
        Notice(
            subject=_("A review of %(product)s") % facts,
            headline=_("A new review"),
            text=_(
                "%(name)s gave %(product)s %(stars)d of 5 stars. An answer from you stands below "
                "the review for everybody to read."
            )
            % facts,
            quote=review.quote,
            button=_("Answer it"),
            url=url,
            reason=_("You get this mail because you sell %(product)s here.") % facts,
        )
    )


def tell_author(
    review: ReviewFacts, kind: str, *, url: str, write_url: str, unsubscribe_url: str = ""
) -> RenderedMail:
    """Write to the author: the review is published, refused or answered."""
    facts = {"product": review.product, "seller": review.seller}
    reason = _("You get this mail because you reviewed %(product)s.") % facts
    if kind == "published":
        return render(
            Notice(
                subject=_("Your review of %(product)s is published") % facts,
                headline=_("Your review is published"),
                text=_("Thank you for telling others about %(product)s. They can read it now.")
                % facts,
                button=_("See your review"),
                url=url,
                reason=reason,
                unsubscribe_url=unsubscribe_url,
            )
        )
    if kind == "answered":
        return render(
            Notice(
                subject=_("%(seller)s answered your review") % facts,
                headline=_("An answer to your review"),
                text=_("%(seller)s answered what you wrote about %(product)s:") % facts,
                quote=review.answer,
                button=_("See your review"),
                url=url,
                reason=reason,
                unsubscribe_url=unsubscribe_url,
            )
        )
    return render(
        Notice(
            subject=_("About your review of %(product)s") % facts,
            headline=_("We did not publish your review"),
            text=_("We read your review of %(product)s and cannot publish it as it is:") % facts,
            quote=review.refusal,
            note=_("You may change it; then we look at it again."),
            button=_("Change your review"),
            url=write_url,
            reason=reason,
            unsubscribe_url=unsubscribe_url,
        )
    )


@dataclass(frozen=True, slots=True)
class ShelfFacts:
    """A shelf that runs low, as the mail tells of it."""

    product: str
    label: str
    sku: str
    left: int


MOST_SHELVES = 40


def tell_seller_of_low_stock(
    seller: str, shelves: Sequence[ShelfFacts], *, url: str
) -> RenderedMail:
    """Write to a seller what runs low, the fewest pieces first; `url` is the list of it."""
    count = len(shelves)
    lines = [_describe_shelf(shelf) for shelf in shelves[:MOST_SHELVES]]
    if count > MOST_SHELVES:
        lines.append(_("and %(count)d more") % {"count": count - MOST_SHELVES})
    return render(
        Notice(
            subject=ngettext(
                "%(count)d product is running low", "%(count)d products are running low", count
            )
            % {"count": count},
            headline=_("Running low"),
            text=_("Of these there are few left to sell:"),
            quote="\n".join(lines),
            note=_("You hear of each of them once, and again only after there was enough."),
            button=_("See the shelves"),
            url=url,
            reason=_("You get this mail because you sell here as %(seller)s.") % {"seller": seller},
        )
    )


def _describe_shelf(shelf: ShelfFacts) -> str:
    name = ", ".join(filter(None, [shelf.product, shelf.label]))
    left = ngettext("%(count)d left", "%(count)d left", shelf.left) % {"count": shelf.left}
    return f"{name} ({shelf.sku}): {left}"


def in_language(language: str) -> translation.override:
    """Let a mail be in its reader's language, "" meaning the shop's."""
    return translation.override(language or settings.LANGUAGE_CODE)


def restock_url(key: str) -> str:
    """Address the page of a request, by its key."""
    return reverse("catalog:restock_manage", args=[key])


def ask_to_confirm_restock(variant: WantedVariant, *, key: str) -> RenderedMail:
    """Ask whether it was really they who want to be told."""
    facts = {"product": variant.name}
    return render(
        Notice(
            subject=_("Shall we tell you when %(product)s is back?") % facts,
            headline=_("Shall we tell you?"),
            text=_(
                "Somebody, probably you, wants to hear when %(product)s is in stock again. "
                "Say yes, and we write once, when it is."
            )
            % facts,
            button=_("Yes, tell me"),
            url=restock_url(key),
            note=_("If it was not you, do nothing: we forget this address within a week."),
            reason=_("You get this mail because your address was entered in our shop."),
            picture=variant.picture,
        )
    )


def tell_of_restock(variant: WantedVariant, *, unsubscribe_url: str = "") -> RenderedMail:
    """Tell somebody who asked for it that a variant is there again."""
    facts = {"product": variant.name}
    return render(
        Notice(
            subject=_("%(product)s is back") % facts,
            headline=_("It is back"),
            text=_(
                "%(product)s is in stock again. We cannot put one aside, so whoever is first has it."
            )
            % facts,
            button=_("Have a look"),
            url=variant.url,
            note=_("This was the only mail about it; your request is done."),
            reason=_("You get this mail because you asked us to tell you."),
            unsubscribe_url=unsubscribe_url,
            picture=variant.picture,
        )
    )
