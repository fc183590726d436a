"""What the tables of this floor, of the ground and of Django and allauth know of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.privacy import (
    CONTRACT,
    INTEREST,
    LAW,
    Erasure,
    declare,
    declare_impersonal,
)

ACCOUNT = _("Your account with its name, addresses, password and second factors")
DEVICES = _("Where you are signed in, and what your browser left half typed")
MAILS = _("The mails that we sent you, word for word")
STAFF_NOTES = _("What staff did with your account, without your name")

declare(
    "accounts.User",
    "email name password last_login groups user_permissions",
    title=ACCOUNT,
    purpose="To sign in, and to call people by their name",
    kept="Until erased",
    ground=CONTRACT,
    section="account",
    erasure=Erasure.DELETED,
)
for relation, rights in (("User_groups", "group"), ("User_user_permissions", "permission")):
    declare(
        f"accounts.{relation}",
        f"user {rights}",
        title=ACCOUNT,
        purpose="What members of the staff may do",
        kept="Until taken back or erased",
        ground=CONTRACT,
        section="account",
        erasure=Erasure.DELETED,
    )
declare(
    "account.EmailAddress",
    "user email",
    title=ACCOUNT,
    purpose="To prove whose mailbox it is",
    kept="Until removed or erased",
    ground=CONTRACT,
    section="addresses",
    erasure=Erasure.DELETED,
)
declare(
    "accounts.Address",
    "user name street postcode city region phone",
    title=ACCOUNT,
    purpose="To spare people typing where parcels and bills go",
    kept="Until removed or erased",
    ground=CONTRACT,
    section="address_book",
    erasure=Erasure.DELETED,
    rest="country",
)
declare(
    "accounts.NotificationPreferences",
    "user email",
    title=_("Which mails you want"),
    purpose="To send nobody what they do not want",
    kept="Until erased",
    ground=LAW,
    section="notifications",
    erasure=Erasure.DELETED,
)
declare(
    "account.EmailConfirmation",
    "email_address",
    title=ACCOUNT,
    purpose="Links that prove a mailbox; the shop sends codes instead, so there are none",
    kept="3 days",
    ground=CONTRACT,
    erasure=Erasure.DELETED,
    remark="not in the copy: a key that opens something is nobody's to keep",
    rest="key",
)
declare(
    "mfa.Authenticator",
    "user data",
    title=ACCOUNT,
    purpose="Passkeys, apps and recovery codes to sign in with",
    kept="Until removed or erased",
    ground=CONTRACT,
    section="second_factors",
    erasure=Erasure.DELETED,
    remark="the copy tells names and dates, never secrets",
)
declare(
    "socialaccount.SocialAccount",
    "user uid extra_data",
    title=ACCOUNT,
    purpose="To sign in with an account of another house",
    kept="Until removed or erased",
    ground=CONTRACT,
    section="other_accounts",
    erasure=Erasure.DELETED,
    rest="provider",
)
declare(
    "socialaccount.SocialToken",
    "account token token_secret",
    title=ACCOUNT,
    purpose="None: tokens of other houses are not stored",
    kept="Never written",
    ground=CONTRACT,
    erasure=Erasure.DELETED,
    remark="not in the copy: there are none",
)
declare(
    "usersessions.UserSession",
    "user ip user_agent data session_key",
    title=DEVICES,
    purpose="To show where somebody is signed in, and to sign out there",
    kept="As long as the session (`SESSION_DAYS`)",
    ground=INTEREST,
    section="sessions",
    erasure=Erasure.DELETED,
)
declare(
    "sessions.Session",
    "session_data",
    title=DEVICES,
    purpose="The cart and a half-typed checkout of a browser",
    kept="`SESSION_DAYS` after the last change",
    ground=CONTRACT,
    section="sessions",
    erasure=Erasure.DELETED,
    remark="those of the account, and guests' that hold one of the addresses",
    rest="session_key",
)
declare(
    "accounts.DataCopy",
    "user content",
    title=_("Copies of your data that you asked for"),
    purpose="To hand out a copy of somebody's data",
    kept="`RETENTION_COPY_DAYS`",
    ground=LAW,
    section="copies",
    erasure=Erasure.DELETED,
    rest="language",
)
declare(
    "accounts.SellerMember",
    "user seller",
    title="",
    purpose="Who may do what for a seller",
    kept="Until taken off",
    ground=CONTRACT,
    section="work",
    erasure=Erasure.DELETED,
    remark="whoever works for a seller is taken off by its owner first",
)
declare(
    "accounts.Seller",
    "email name place story tagline",
    title="",
    purpose="To name the seller, as the law asks of every offer",
    kept="As long as there are goods and orders of theirs",
    ground=LAW,
    erasure=Erasure.KEPT,
    remark="it is a business; the shop's staff change it. Not in the copy: it is public",
    rest="slug country",
)
declare(
    "admin.LogEntry",
    "user object_repr change_message object_id",
    title=STAFF_NOTES,
    purpose="To know who of the staff changed what",
    kept="As long as the shop",
    ground=INTEREST,
    erasure=Erasure.EMPTIED,
    remark=(
        "that something was done stays, without a name; what former staff did counts as done by "
        "“former staff”. Not in the copy: it tells of the staff, and what they changed is there"
    ),
)
declare(
    "accounts.AuditEntry",
    "actor person seller before after reason",
    title=_("What was changed of your rights, without your name"),
    purpose="To know who changed a price, a role or a second factor, or looked at the shop as somebody",
    kept="As long as the shop",
    ground=INTEREST,
    section="changes",
    erasure=Erasure.KEPT,
    remark="people stand in it as numbers, which lead nowhere after an erasure",
    rest="subject",
)
declare(
    "shop.Mail",
    "recipient subject text html error reference unsubscribe_url",
    title=MAILS,
    purpose="To send mails once, and to see what is stuck",
    kept="`RETENTION_MAIL_DAYS` after sending",
    ground=CONTRACT,
    section="mails",
    erasure=Erasure.EMPTIED,
    remark="that there was a mail on an occasion stays; those about orders are in `order_mails`",
    rest="kind language",
)
declare(
    "shop.OutboxMessage",
    "error",
    title=MAILS,
    purpose="Why a task failed; a mail server may name the address",
    kept="7 days after it is done",
    ground=INTEREST,
    erasure=Erasure.EMPTIED,
    remark="not in the copy: it says what a mail in the copy says",
    rest="key task payload",
)
declare_impersonal("what Django calls rights and tables",
    "auth.Permission", "auth.Group", "auth.Group_permissions", "contenttypes.ContentType",
)  # fmt: skip
declare_impersonal("keyed hashes and counts, for minutes or hours", "shop.Tally", "shop.KeptValue")
declare_impersonal("the shop's own settings for signing in elsewhere", "socialaccount.SocialApp")
declare_impersonal("what the shop says of itself: pages, taxes, addresses of pages",
    "shop.FormerAddress", "shop.Change", "shop.Page", "shop.TaxClass", "shop.TaxRate",
)  # fmt: skip
