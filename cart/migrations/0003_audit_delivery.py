from django.db import migrations

# What delivery costs is written down by the function of migration accounts.0004.
WRITE = """
CREATE TRIGGER accounts_audit_new AFTER INSERT OR DELETE ON cart_shippingband
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit(
    'delivery', 'shippingmethod', 'method_id', '', '', 'minimum,price');
CREATE TRIGGER accounts_audit AFTER UPDATE ON cart_shippingband
FOR EACH ROW WHEN ((OLD.method_id, OLD.minimum, OLD.price)
    IS DISTINCT FROM (NEW.method_id, NEW.minimum, NEW.price))
EXECUTE FUNCTION accounts_write_audit(
    'delivery', 'shippingmethod', 'method_id', '', '', 'minimum,price');
"""
UNWRITE = """
DROP TRIGGER accounts_audit ON cart_shippingband;
DROP TRIGGER accounts_audit_new ON cart_shippingband;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_roles_and_audit"),
        ("cart", "0002_cart_version"),
    ]

    operations = [migrations.RunSQL(WRITE, UNWRITE)]
