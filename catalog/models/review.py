from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Review(models.Model):
    """What somebody says of a product; shown once it is published.

    One for each person and product, known by the account or, of a guest, by the email of the order.
    `email` is written small and never shown; `name` is what the page says instead. `is_verified`:
    the shop sold it to this person. `revision` counts how often the words changed, so that each
    answer and decision is told once.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        PUBLISHED = "published", _("published")
        REFUSED = "refused", _("refused")

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    email = models.EmailField(_("email"), max_length=254)
    language = models.CharField(max_length=10)
    name = models.CharField(_("name"), max_length=60)
    stars = models.PositiveSmallIntegerField(_("stars"))
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(_("review"))
    is_verified = models.BooleanField(_("bought here"), default=False, db_default=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING
    )
    refusal = models.CharField(_("why it was refused"), max_length=300, blank=True, db_default="")
    decided_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    answer = models.TextField(_("answer"), blank=True, db_default="")
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    helpful_count = models.PositiveIntegerField(_("found helpful by"), default=0, db_default=0)
    revision = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(_("written"), db_default=Now())
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="review_has_one_to_five_stars", condition=Q(stars__gte=1, stars__lte=5)
            ),
            models.UniqueConstraint(fields=["product", "author"], name="review_once_per_person"),
            models.UniqueConstraint(fields=["product", "email"], name="review_once_per_email"),
        ]
        indexes = [
            models.Index(
                fields=["product", "-helpful_count", "-published_at"],
                name="review_shown",
                condition=Q(status="published"),
            ),
            models.Index(fields=["status", "id"], name="review_worklist"),
        ]

    def __str__(self) -> str:
        return self.title or self.text[:60]


class ReviewPhoto(models.Model):
    """A photograph that somebody took of what they bought."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="photos")
    asset = models.ForeignKey("ImageAsset", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("photograph of a review")
        verbose_name_plural = _("photographs of reviews")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "asset"], name="review_photo_once")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class HelpfulVote(models.Model):
    """Somebody found a review helpful; one vote each."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("helpful vote")
        verbose_name_plural = _("helpful votes")
        constraints = [
            models.UniqueConstraint(fields=["review", "user"], name="helpful_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.review_id}"
