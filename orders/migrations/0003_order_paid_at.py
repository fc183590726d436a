from django.db import migrations, models


class Migration(migrations.Migration):
    """What was sold lately is asked for by the day of payment, every hour."""

    dependencies = [("orders", "0002_record_purchases")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["paid_at"], name="order_paid_at", condition=models.Q(paid_at__isnull=False)
            ),
        ),
    ]
