import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_seller_handling_days"),
        ("catalog", "0006_merchandising"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("format", models.CharField(max_length=20, verbose_name="format")),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("checksum", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField(default=0, verbose_name="size")),
                ("encoding", models.CharField(blank=True, max_length=20, verbose_name="encoding")),
                ("language", models.CharField(blank=True, max_length=10)),
                ("is_rehearsal", models.BooleanField(default=False, verbose_name="dry run")),
                (
                    "recounts_stock",
                    models.BooleanField(default=False, verbose_name="count stock anew"),
                ),
                (
                    "fetches_pictures",
                    models.BooleanField(default=True, verbose_name="fetch pictures"),
                ),
                ("follows_sellers", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("finished", "finished"),
                            ("stopped", "stopped"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("error", models.TextField(blank=True, verbose_name="error")),
                (
                    "total",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="products in the file"
                    ),
                ),
                ("rows", models.PositiveIntegerField(default=0, verbose_name="rows in the file")),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("done", models.IntegerField(default=-1, verbose_name="products done")),
                ("created", models.PositiveIntegerField(default=0, verbose_name="new")),
                ("updated", models.PositiveIntegerField(default=0, verbose_name="updated")),
                ("unchanged", models.PositiveIntegerField(default=0, verbose_name="unchanged")),
                ("refused", models.PositiveIntegerField(default=0, verbose_name="left out")),
                ("pictures_left_out", models.PositiveIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="begun"
                    ),
                ),
                ("heard_at", models.DateTimeField(blank=True, null=True)),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.seller",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ImportPicture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(default=0)),
                ("address", models.TextField()),
                ("alt", models.CharField(blank=True, max_length=250)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "skus",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("fetched", "fetched"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.product",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="catalog.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "picture of an import",
                "verbose_name_plural": "pictures of imports",
                "ordering": ["run", "product", "position"],
            },
        ),
        migrations.CreateModel(
            name="ImportPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="catalog.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of an import file",
                "verbose_name_plural": "parts of import files",
                "ordering": ["run", "number"],
            },
        ),
        migrations.CreateModel(
            name="ImportFinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(default=0, verbose_name="line")),
                ("handle", models.CharField(blank=True, max_length=255, verbose_name="product")),
                ("column", models.CharField(blank=True, max_length=255, verbose_name="column")),
                ("message", models.TextField(verbose_name="message")),
                ("is_remark", models.BooleanField(default=False)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="catalog.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "import finding",
                "verbose_name_plural": "import findings",
                "ordering": ["line", "id"],
            },
        ),
        migrations.CreateModel(
            name="PictureSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("address", models.TextField()),
                (
                    "fetched_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.imageasset",
                    ),
                ),
            ],
            options={
                "verbose_name": "source of a picture",
                "verbose_name_plural": "sources of pictures",
            },
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running", "stopped"])),
                fields=["checksum", "seller"],
                name="import_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="importpicture",
            index=models.Index(fields=["run", "state"], name="import_picture_state"),
        ),
        migrations.AddConstraint(
            model_name="importpart",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="import_part_once"),
        ),
        migrations.AddIndex(
            model_name="importfinding",
            index=models.Index(fields=["run", "is_remark", "line"], name="finding_by_line"),
        ),
    ]
