import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The address book, and which mails people want beside those about orders."""

    dependencies = [("accounts", "0002_seller_handling_days")]

    operations = [
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("street", models.CharField(max_length=200, verbose_name="street")),
                ("postcode", models.CharField(blank=True, max_length=20, verbose_name="postcode")),
                ("city", models.CharField(max_length=100, verbose_name="city")),
                ("region", models.CharField(blank=True, max_length=100, verbose_name="region")),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                (
                    "is_for_delivery",
                    models.BooleanField(db_default=False, verbose_name="default for delivery"),
                ),
                (
                    "is_for_billing",
                    models.BooleanField(db_default=False, verbose_name="default for billing"),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "address",
                "verbose_name_plural": "addresses",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_for_delivery", True)),
                        fields=("user",),
                        name="address_one_for_delivery",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_for_billing", True)),
                        fields=("user",),
                        name="address_one_for_billing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationPreferences",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, max_length=254, null=True, unique=True, verbose_name="email"
                    ),
                ),
                ("restock", models.BooleanField(db_default=True, verbose_name="back in stock")),
                ("reviews", models.BooleanField(db_default=True, verbose_name="reviews")),
                ("news", models.BooleanField(db_default=False, verbose_name="news")),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notification preferences",
                "verbose_name_plural": "notification preferences",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email__isnull", False), ("user", None))
                        | models.Q(("email", None), ("user__isnull", False)),
                        name="notifications_of_one",
                    )
                ],
            },
        ),
    ]
