"""When we set out to take what a shopper approved at a provider that leaves the taking to us."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="paymentattempt",
            name="capture_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
