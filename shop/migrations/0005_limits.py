from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_mail_unsubscribe_url")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField(db_default=1)),
                ("ends_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["ends_at"], name="tally_by_end")]},
        ),
        migrations.CreateModel(
            name="KeptValue",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("value", models.JSONField(db_default=None, null=True)),
                ("ends_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["ends_at"], name="kept_value_by_end")]},
        ),
        migrations.RunSQL(
            "ALTER TABLE shop_tally SET UNLOGGED; ALTER TABLE shop_keptvalue SET UNLOGGED",
            "ALTER TABLE shop_tally SET LOGGED; ALTER TABLE shop_keptvalue SET LOGGED",
        ),
    ]
