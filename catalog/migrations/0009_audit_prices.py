from django.db import migrations

# Beside what a price was (FormerPrice), the trail keeps who changed it and what it became.
WRITE = """
CREATE FUNCTION catalog_audit_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_auditentry
        (kind, door, actor_id, seller_id, subject, before, after, reason)
    SELECT
        'price',
        coalesce(nullif(current_setting('emporium.door', true), ''), 'database'),
        nullif(current_setting('emporium.actor', true), '')::bigint,
        product.seller_id,
        'variant:' || NEW.id,
        jsonb_build_object('price', OLD.price, 'compare_at_price', OLD.compare_at_price),
        jsonb_build_object('price', NEW.price, 'compare_at_price', NEW.compare_at_price),
        coalesce(current_setting('emporium.reason', true), '')
    FROM catalog_product product WHERE product.id = NEW.product_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER catalog_audit_price
AFTER UPDATE OF price, compare_at_price ON catalog_productvariant
FOR EACH ROW
WHEN ((OLD.price, OLD.compare_at_price) IS DISTINCT FROM (NEW.price, NEW.compare_at_price))
EXECUTE FUNCTION catalog_audit_price();
"""
UNWRITE = """
DROP TRIGGER catalog_audit_price ON catalog_productvariant;
DROP FUNCTION catalog_audit_price();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_roles_and_audit"),
        ("catalog", "0008_collection_seo"),
    ]

    operations = [migrations.RunSQL(WRITE, UNWRITE)]
