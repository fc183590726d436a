import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import shop.fields


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_capture_asked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=20, verbose_name="provider")),
                ("provider_id", models.CharField(max_length=120)),
                (
                    "amount",
                    shop.fields.AmountField(decimal_places=4, max_digits=14, verbose_name="amount"),
                ),
                ("currency", shop.fields.CurrencyField(max_length=3, verbose_name="currency")),
                ("reason", models.CharField(blank=True, max_length=60, verbose_name="reason")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("inquiry", "the bank asks"),
                            ("needs_response", "waits for an answer"),
                            ("under_review", "the bank is deciding"),
                            ("won", "won"),
                            ("lost", "lost"),
                            ("closed", "closed without a decision"),
                        ],
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "due_by",
                    models.DateTimeField(blank=True, null=True, verbose_name="answer until"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationBreak",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=20, verbose_name="provider")),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("charge", "payment"),
                            ("refund", "refund"),
                            ("dispute", "dispute"),
                        ],
                        max_length=10,
                        verbose_name="about",
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(max_length=120, verbose_name="the provider's number"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ours_only", "only in our books"),
                            ("theirs_only", "only at the provider"),
                            ("differs", "the amounts differ"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "ours",
                    shop.fields.AmountField(
                        blank=True,
                        decimal_places=4,
                        max_digits=14,
                        null=True,
                        verbose_name="in our books",
                    ),
                ),
                ("ours_currency", shop.fields.CurrencyField(blank=True, max_length=3)),
                (
                    "theirs",
                    shop.fields.AmountField(
                        blank=True,
                        decimal_places=4,
                        max_digits=14,
                        null=True,
                        verbose_name="at the provider",
                    ),
                ),
                ("theirs_currency", shop.fields.CurrencyField(blank=True, max_length=3)),
                ("finding", models.CharField(max_length=300, verbose_name="what was found")),
                ("happened_at", models.DateTimeField(verbose_name="when the money moved")),
                (
                    "first_seen_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="first seen",
                    ),
                ),
                ("last_seen_at", models.DateTimeField(verbose_name="last seen")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("resolved", "resolved"),
                            ("accepted", "accepted"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "note",
                    models.CharField(blank=True, max_length=300, verbose_name="what came of it"),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
            ],
            options={
                "verbose_name": "reconciliation break",
                "verbose_name_plural": "reconciliation breaks",
                "ordering": ["-id"],
            },
        ),
        migrations.AlterField(
            model_name="paymenttransaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("capture", "paid"),
                    ("refund", "refunded"),
                    ("reversal", "the refund came back"),
                    ("dispute", "taken back in a dispute"),
                    ("dispute_won", "given back after a dispute"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=("attempt", "provider_id"),
                name="refund_known_once",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="payments.paymentattempt",
            ),
        ),
        migrations.AddField(
            model_name="reconciliationbreak",
            name="attempt",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaks",
                to="payments.paymentattempt",
            ),
        ),
        migrations.AddField(
            model_name="reconciliationbreak",
            name="closed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reconciliationbreak",
            name="transaction",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaks",
                to="payments.paymenttransaction",
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("status__in", ("inquiry", "needs_response", "under_review"))),
                fields=["due_by"],
                name="dispute_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                fields=("provider", "provider_id"), name="dispute_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="dispute_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at", None),
                        ("status__in", ("inquiry", "needs_response", "under_review")),
                    ),
                    models.Q(
                        ("closed_at__isnull", False), ("status__in", ("won", "lost", "closed"))
                    ),
                    _connector="OR",
                ),
                name="dispute_closed_says_when",
            ),
        ),
        migrations.AddIndex(
            model_name="reconciliationbreak",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["happened_at"], name="break_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliationbreak",
            constraint=models.UniqueConstraint(
                fields=("provider", "subject", "provider_id"), name="break_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliationbreak",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("note", ""), ("status", "open")),
                    models.Q(
                        models.Q(("status", "open"), _negated=True),
                        ("closed_at__isnull", False),
                        models.Q(("note", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="break_closed_says_why",
            ),
        ),
    ]
