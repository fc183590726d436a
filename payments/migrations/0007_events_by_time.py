from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_dispute_fees")]

    operations = [
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(fields=["received_at"], name="provider_event_by_time"),
        ),
    ]
