import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Somebody's account asks at each visit whether they ordered as a guest before."""

    atomic = False

    dependencies = [("orders", "0007_dispute_fees")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("user", None)),
                name="order_of_guest",
            ),
        ),
    ]
