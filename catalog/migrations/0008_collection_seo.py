from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_import_runs")]

    operations = [
        migrations.AddField(
            model_name="collection",
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
            model_name="collection",
            name="seo_description",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=320,
                verbose_name="description for search engines",
            ),
        ),
    ]
