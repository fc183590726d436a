from django.db import migrations, models


class Migration(migrations.Migration):
    """Where one click ends mails of a kind."""

    dependencies = [("shop", "0003_former_address")]

    operations = [
        migrations.AddField(
            "mail",
            "unsubscribe_url",
            models.CharField(blank=True, db_default="", max_length=300),
        ),
    ]
