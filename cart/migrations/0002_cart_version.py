from django.db import migrations, models


class Migration(migrations.Migration):
    """Two devices on one cart: who changed it last, and how often it was changed."""

    dependencies = [("cart", "0001_initial")]

    operations = [
        migrations.AddField("cart", "version", models.PositiveIntegerField(db_default=0)),
        migrations.AddField(
            "cart", "device", models.CharField(blank=True, db_default="", max_length=16)
        ),
        migrations.AddField("cart", "taken_over", models.PositiveIntegerField(db_default=0)),
    ]
