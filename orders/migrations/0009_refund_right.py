from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0008_guest_orders_by_email"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-id"],
                "permissions": [("refund_order", "Can take an order's money and give it back")],
                "verbose_name": "order",
                "verbose_name_plural": "orders",
            },
        ),
    ]
