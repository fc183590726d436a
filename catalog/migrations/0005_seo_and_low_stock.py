from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_reviews_wishlists_restock"),
    ]

    operations = [
        migrations.AddField(
            model_name="category",
            name="seo_description",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=320,
                verbose_name="description for search engines",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="seo_title",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=120,
                verbose_name="title for search engines",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="seo_description",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=320,
                verbose_name="description for search engines",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="seo_title",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=120,
                verbose_name="title for search engines",
            ),
        ),
        migrations.AddField(
            model_name="productvariant",
            name="low_stock_at",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="So many pieces or fewer are told to the seller. Empty: as the shop does it.",
                null=True,
                verbose_name="running low at",
            ),
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="low_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="low_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("received", "delivery received"),
                    ("returned", "came back"),
                    ("found", "found again"),
                    ("damaged", "damaged"),
                    ("lost", "lost or stolen"),
                    ("counted", "counted anew"),
                    ("other", "something else"),
                ],
                db_default="",
                default="",
                max_length=10,
                verbose_name="cause",
            ),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="reason",
            field=models.CharField(blank=True, max_length=200, verbose_name="note"),
        ),
        migrations.AddIndex(
            model_name="stocklevel",
            index=models.Index(
                condition=models.Q(("low_since__isnull", False), ("low_told_at", None)),
                fields=["low_since"],
                name="stock_low_untold",
            ),
        ),
    ]
