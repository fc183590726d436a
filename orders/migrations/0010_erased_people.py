from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_refund_right")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="forgotten_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("forgotten_at", None)),
                fields=["created_at"],
                name="order_remembered",
            ),
        ),
    ]
