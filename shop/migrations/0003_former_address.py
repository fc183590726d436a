import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0002_change"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("product", "Product"),
                            ("category", "Category"),
                            ("collection", "Collection"),
                            ("seller", "Seller"),
                            ("page", "Page"),
                        ],
                        max_length=10,
                    ),
                ),
                ("path", models.CharField(max_length=600)),
                ("target_id", models.BigIntegerField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "target_id"], name="former_address_target")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "path"), name="former_address_once")
                ],
            },
        ),
    ]
