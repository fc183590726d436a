import django.core.validators
from django.db import migrations, models

CODE = "lower(regexp_replace(sku, '[^[:alnum:]]+', '', 'g'))"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_product_rating")]

    operations = [
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=60, unique=True)),
                ("lexeme", models.CharField(max_length=60)),
                ("products", models.PositiveIntegerField(default=1)),
            ],
            options={"verbose_name": "word", "verbose_name_plural": "words"},
        ),
        migrations.CreateModel(
            name="Synonym",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "words",
                    models.CharField(
                        help_text="Separated by commas: sofa, couch, settee. Several words may be one: tea towel.",
                        max_length=500,
                        validators=[django.core.validators.MinLengthValidator(2)],
                        verbose_name="words",
                    ),
                ),
                (
                    "means",
                    models.CharField(
                        blank=True,
                        help_text="Empty: all of the words mean the same. Filled in: whoever looks for one of the words also finds these, but not the other way round.",
                        max_length=500,
                        verbose_name="look also for",
                    ),
                ),
            ],
            options={
                "verbose_name": "synonym",
                "verbose_name_plural": "synonyms",
                "ordering": ["words"],
            },
        ),
        migrations.CreateModel(
            name="SearchRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("words", models.CharField(max_length=100, verbose_name="words")),
                ("searches", models.PositiveIntegerField(default=0, verbose_name="searches")),
                ("products", models.PositiveIntegerField(default=0, verbose_name="products found")),
            ],
            options={
                "verbose_name": "search",
                "verbose_name_plural": "searches",
                "ordering": ["-day", "-searches", "words"],
                "constraints": [
                    models.UniqueConstraint(fields=("day", "words"), name="search_once_per_day")
                ],
            },
        ),
        migrations.RunSQL(
            f"CREATE INDEX variant_code ON catalog_productvariant (({CODE}))",
            "DROP INDEX variant_code",
        ),
        migrations.RunSQL(
            "CREATE INDEX variant_barcode ON catalog_productvariant ((ltrim(barcode, '0'))) WHERE barcode <> ''",
            "DROP INDEX variant_barcode",
        ),
    ]
