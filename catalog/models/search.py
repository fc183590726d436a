from __future__ import annotations

from django.core.validators import MinLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Word(models.Model):
    """A word that some product has, for help with the spelling; `lexeme` is its stem.

    `products` is roughly how many have it, counted now and then by `catalog.services.vocabulary`.
    """

    word = models.CharField(max_length=60, unique=True)
    lexeme = models.CharField(max_length=60)
    products = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("words")

    def __str__(self) -> str:
        return self.word


class Synonym(models.Model):
    """Words that mean the same to shoppers, whatever the products are called."""

    words = models.CharField(
        _("words"),
        max_length=500,
        validators=[MinLengthValidator(2)],
        help_text=_(
            "Separated by commas: sofa, couch, settee. Several words may be one: tea towel."
        ),
    )
    means = models.CharField(
        _("look also for"),
        max_length=500,
        blank=True,
        help_text=_(
            "Empty: all of the words mean the same. Filled in: whoever looks for one of the words "
            "also finds these, but not the other way round."
        ),
    )

    class Meta:
        verbose_name = _("synonym")
        verbose_name_plural = _("synonyms")
        ordering = ["words"]

    def __str__(self) -> str:
        return f"{self.words} → {self.means}" if self.means else self.words


class SearchRecord(models.Model):
    """What was looked for on a day, how often, and how many products that found the last time.

    Nothing tells who looked. Rows are counted up, by day and folded words.
    """

    day = models.DateField(_("day"))
    words = models.CharField(_("words"), max_length=100)
    searches = models.PositiveIntegerField(_("searches"), default=0)
    products = models.PositiveIntegerField(_("products found"), default=0)

    class Meta:
        verbose_name = _("search")
        verbose_name_plural = _("searches")
        ordering = ["-day", "-searches", "words"]
        constraints = [models.UniqueConstraint(fields=["day", "words"], name="search_once_per_day")]

    def __str__(self) -> str:
        return self.words
