import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# A row of the trail is written once and never forgotten: it names people by their numbers alone, so
# that an erased person leaves nothing behind in it. TRUNCATE is left to the owner of the tables, who
# could drop the triggers just as well.
GUARD = """
CREATE FUNCTION accounts_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of %', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER accounts_audit_is_append_only
BEFORE UPDATE OR DELETE ON accounts_auditentry
FOR EACH ROW EXECUTE FUNCTION accounts_audit_is_append_only();
"""
UNGUARD = """
DROP TRIGGER accounts_audit_is_append_only ON accounts_auditentry;
DROP FUNCTION accounts_audit_is_append_only();
"""

# Arguments of the trigger: the kind of row, what the subject is called, the columns of its number, of
# the person and of the seller, and the columns that are kept. Who acts is what the transaction told
# (accounts.services.audit.sign). Keys of groups and permissions are kept by their names.
WRITE = """
CREATE FUNCTION accounts_write_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row_before jsonb;
    row_after jsonb;
    one jsonb;
    kept text[] := string_to_array(TG_ARGV[5], ',');
    named jsonb := '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        row_before := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        row_after := to_jsonb(NEW);
    END IF;
    one := coalesce(row_after, row_before);
    IF one ? 'group_id' THEN
        named := named || jsonb_build_object('group', coalesce(
            (SELECT name FROM auth_group WHERE id = (one->>'group_id')::bigint), one->>'group_id'));
    END IF;
    IF one ? 'permission_id' THEN
        named := named || jsonb_build_object('permission', coalesce(
            (SELECT codename FROM auth_permission WHERE id = (one->>'permission_id')::bigint),
            one->>'permission_id'));
    END IF;
    INSERT INTO accounts_auditentry
        (kind, door, actor_id, person_id, seller_id, subject, before, after, reason)
    VALUES (
        TG_ARGV[0],
        coalesce(nullif(current_setting('emporium.door', true), ''), 'database'),
        nullif(current_setting('emporium.actor', true), '')::bigint,
        (one->>TG_ARGV[3])::bigint,
        (one->>TG_ARGV[4])::bigint,
        TG_ARGV[1] || ':' || (one->>TG_ARGV[2]),
        CASE WHEN row_before IS NOT NULL THEN named || (
            SELECT coalesce(jsonb_object_agg(key, value), '{}')
            FROM jsonb_each(row_before) WHERE key = ANY(kept)) END,
        CASE WHEN row_after IS NOT NULL THEN named || (
            SELECT coalesce(jsonb_object_agg(key, value), '{}')
            FROM jsonb_each(row_after) WHERE key = ANY(kept)) END,
        coalesce(current_setting('emporium.reason', true), '')
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_audit AFTER INSERT OR DELETE ON accounts_user_groups
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit('group', 'user', 'user_id', 'user_id', '', '');

CREATE TRIGGER accounts_audit AFTER INSERT OR DELETE ON accounts_user_user_permissions
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit('rights', 'user', 'user_id', 'user_id', '', '');

CREATE TRIGGER accounts_audit_new AFTER INSERT ON accounts_user
FOR EACH ROW WHEN (NEW.is_staff OR NEW.is_superuser)
EXECUTE FUNCTION accounts_write_audit(
    'rights', 'user', 'id', 'id', '', 'is_staff,is_superuser,is_active');
CREATE TRIGGER accounts_audit AFTER UPDATE OF is_staff, is_superuser, is_active ON accounts_user
FOR EACH ROW WHEN ((OLD.is_staff, OLD.is_superuser, OLD.is_active)
    IS DISTINCT FROM (NEW.is_staff, NEW.is_superuser, NEW.is_active))
EXECUTE FUNCTION accounts_write_audit(
    'rights', 'user', 'id', 'id', '', 'is_staff,is_superuser,is_active');
CREATE TRIGGER accounts_audit_gone AFTER DELETE ON accounts_user
FOR EACH ROW WHEN (OLD.is_staff OR OLD.is_superuser)
EXECUTE FUNCTION accounts_write_audit(
    'rights', 'user', 'id', 'id', '', 'is_staff,is_superuser,is_active');

CREATE TRIGGER accounts_audit AFTER INSERT OR UPDATE OR DELETE ON accounts_sellermember
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit(
    'member', 'seller', 'seller_id', 'user_id', 'seller_id', 'role');

CREATE TRIGGER accounts_audit AFTER INSERT OR DELETE ON auth_group_permissions
FOR EACH ROW WHEN (current_setting('emporium.door', true) IS DISTINCT FROM 'migrate')
EXECUTE FUNCTION accounts_write_audit('group_rights', 'group', 'group_id', '', '', '');

CREATE TRIGGER accounts_audit AFTER INSERT OR DELETE ON mfa_authenticator
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit(
    'second_factor', 'user', 'user_id', 'user_id', '', 'type');

CREATE TRIGGER accounts_audit_new AFTER INSERT OR DELETE ON shop_taxrate
FOR EACH ROW EXECUTE FUNCTION accounts_write_audit(
    'tax', 'taxrate', 'id', '', '', 'country,region,name,percent');
CREATE TRIGGER accounts_audit AFTER UPDATE ON shop_taxrate
FOR EACH ROW WHEN ((OLD.country, OLD.region, OLD.percent, OLD.tax_class_id)
    IS DISTINCT FROM (NEW.country, NEW.region, NEW.percent, NEW.tax_class_id))
EXECUTE FUNCTION accounts_write_audit(
    'tax', 'taxrate', 'id', '', '', 'country,region,name,percent');
"""
UNWRITE = """
DROP TRIGGER accounts_audit ON shop_taxrate;
DROP TRIGGER accounts_audit_new ON shop_taxrate;
DROP TRIGGER accounts_audit ON mfa_authenticator;
DROP TRIGGER accounts_audit ON auth_group_permissions;
DROP TRIGGER accounts_audit ON accounts_sellermember;
DROP TRIGGER accounts_audit_gone ON accounts_user;
DROP TRIGGER accounts_audit ON accounts_user;
DROP TRIGGER accounts_audit_new ON accounts_user;
DROP TRIGGER accounts_audit ON accounts_user_user_permissions;
DROP TRIGGER accounts_audit ON accounts_user_groups;
DROP FUNCTION accounts_write_audit();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_addresses_and_notifications"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("shop", "0004_mail_unsubscribe_url"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("impersonate_user", "Can look at the shop as a shopper"),
                    ("reset_second_factor", "Can take a person's second factors off"),
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("group", "role in the shop"),
                            ("rights", "rights of a person"),
                            ("group_rights", "rights of a group"),
                            ("member", "role at a seller"),
                            ("second_factor", "second factor"),
                            ("price", "price"),
                            ("tax", "tax rate"),
                            ("delivery", "delivery price"),
                            ("export", "export"),
                            ("look_as_begun", "began to look as a shopper"),
                            ("look_as_ended", "stopped looking as a shopper"),
                        ],
                        max_length=20,
                        verbose_name="what",
                    ),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("import", "import"),
                            ("command", "command line"),
                            ("database", "not told"),
                        ],
                        db_default="database",
                        max_length=12,
                        verbose_name="from where",
                    ),
                ),
                ("subject", models.CharField(db_default="", max_length=80, verbose_name="object")),
                ("before", models.JSONField(null=True, verbose_name="before")),
                ("after", models.JSONField(null=True, verbose_name="after")),
                ("reason", models.CharField(db_default="", max_length=300, verbose_name="reason")),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.seller",
                        verbose_name="seller",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["subject", "-id"], name="audit_subject"),
                    models.Index(fields=["person", "-id"], name="audit_person"),
                    models.Index(fields=["actor", "-id"], name="audit_actor"),
                    models.Index(fields=["seller", "-id"], name="audit_seller"),
                ],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(WRITE, UNWRITE),
    ]
