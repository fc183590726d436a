"""Tell the catalogue what was bought before it took note of purchases."""

from django.db import migrations

RECORD = """
INSERT INTO catalog_purchase (product_id, user_id, email, order_number, bought_at)
SELECT DISTINCT variant.product_id, placed.user_id, lower(placed.email), placed.number,
       placed.paid_at
FROM orders_order AS placed
JOIN orders_orderline line ON line.order_id = placed.id
JOIN catalog_productvariant variant ON variant.id = line.variant_id
WHERE placed.paid_at IS NOT NULL AND placed.status IN ('placed', 'completed')
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("catalog", "0004_reviews_wishlists_restock"),
    ]

    operations = [migrations.RunSQL(RECORD, migrations.RunSQL.noop)]
