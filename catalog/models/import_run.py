from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """An import of one file for one seller: how far it came and what became of the products.

    `done` counts products of the file that are dealt with, in its order, and moves in the same
    transaction as what was saved of them; so a run that was killed goes on where it stopped. With
    `follows_sellers` a product goes to the seller whom the file names, if it names one.
    `attempt` counts who took it over: of two processes only the newer one gets anything saved.
    `checksum` is the SHA-256 of the file as it was given.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")

    seller = models.ForeignKey("accounts.Seller", on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    format = models.CharField(_("format"), max_length=20)
    file_name = models.CharField(_("file"), max_length=200)
    checksum = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(_("size"), default=0)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_rehearsal = models.BooleanField(_("dry run"), default=False)
    recounts_stock = models.BooleanField(_("count stock anew"), default=False)
    fetches_pictures = models.BooleanField(_("fetch pictures"), default=True)
    follows_sellers = models.BooleanField(default=False)

    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    error = models.TextField(_("error"), blank=True)
    total = models.PositiveIntegerField(_("products in the file"), null=True, blank=True)
    rows = models.PositiveIntegerField(_("rows in the file"), default=0)
    attempt = models.PositiveIntegerField(default=0)
    done = models.IntegerField(_("products done"), default=-1)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("left out"), default=0)
    pictures_left_out = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(_("begun"), db_default=Now())
    heard_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["checksum", "seller"],
                name="import_unfinished",
                condition=Q(state__in=["waiting", "running", "stopped"]),
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.FINISHED, self.State.FAILED}

    @property
    def done_products(self) -> int:
        return max(self.done, 0)


class ImportFinding(models.Model):
    """What a run has to say about a place in its file; a remark, or something that was left out."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="findings")
    line = models.PositiveIntegerField(_("line"), default=0)
    handle = models.CharField(_("product"), max_length=255, blank=True)
    column = models.CharField(_("column"), max_length=255, blank=True)
    message = models.TextField(_("message"))
    is_remark = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("import finding")
        verbose_name_plural = _("import findings")
        ordering = ["line", "id"]
        indexes = [models.Index(fields=["run", "is_remark", "line"], name="finding_by_line")]

    def __str__(self) -> str:
        return self.message


class ImportPart(models.Model):
    """A piece of an uploaded file, packed, until its run is over; nobody but the run reads it."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = _("part of an import file")
        verbose_name_plural = _("parts of import files")
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_part_once")]

    def __str__(self) -> str:
        return str(self.number)


class ImportPicture(models.Model):
    """A picture that a run shall fetch for a product, and for which variants it is, by SKU."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        FETCHED = "fetched", _("fetched")
        FAILED = "failed", _("failed")

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="pictures")
    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="+")
    line = models.PositiveIntegerField(default=0)
    address = models.TextField()
    alt = models.CharField(max_length=250, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    skus = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("picture of an import")
        verbose_name_plural = _("pictures of imports")
        ordering = ["run", "product", "position"]
        indexes = [models.Index(fields=["run", "state"], name="import_picture_state")]

    def __str__(self) -> str:
        return self.address


class PictureSource(models.Model):
    """Where a picture was fetched from, so that it is not fetched again; `digest` is its SHA-256."""

    digest = models.CharField(max_length=64, unique=True)
    address = models.TextField()
    asset = models.ForeignKey("ImageAsset", on_delete=models.CASCADE, related_name="+")
    fetched_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("source of a picture")
        verbose_name_plural = _("sources of pictures")

    def __str__(self) -> str:
        return self.address
