"""Every setting of the shop, read from the environment and explained in `.env.example`.

There is one settings module: development, tests and production differ by variables alone.
`EMPORIUM_MODE=trial`, the default, fills in what a newcomer has not set up yet (an own database,
a payment simulator, a mailbox page); `production` demands the real thing and names what is missing.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from config import postgres
from config.books import YEARS_OF_BOOKS
from config.env import ConfigurationFaults, Environment, is_country, is_currency
from config.sign_in import read_sign_in_providers

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / "var"

env = Environment()

# Mode ---------------------------------------------------------------------------------------------

EMPORIUM_MODE = env.choice("EMPORIUM_MODE", "trial", ["trial", "production"])
IS_PRODUCTION = EMPORIUM_MODE == "production"
DEBUG = env.flag("DEBUG", False)
if IS_PRODUCTION and DEBUG:
    env.faults.append("DEBUG is on: it shows secrets to strangers; turn it off in production.")


def _trial_secret_key() -> str:
    """Keep one generated key per checkout, so that sessions survive a restart."""
    path = STATE_DIR / "secret_key"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = env.text(
    "SECRET_KEY",
    required="make one with `openssl rand -base64 48` and keep it secret." if IS_PRODUCTION else "",
)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
if not SECRET_KEY and not IS_PRODUCTION:
    SECRET_KEY = _trial_secret_key()
if IS_PRODUCTION and 0 < len(SECRET_KEY) < 50:
    env.faults.append("SECRET_KEY is too short: use at least 50 random characters.")

# The shop -----------------------------------------------------------------------------------------

SHOP_NAME = env.text("SHOP_NAME", "Emporium")
SHOP_TAGLINE = env.text("SHOP_TAGLINE", "Things for the home, made to stay")
SHOP_INTRODUCTION = env.text("SHOP_INTRODUCTION", "")
SHOP_LOGO = env.text("SHOP_LOGO", "")
if SHOP_LOGO and not (BASE_DIR / "static" / SHOP_LOGO).is_file():
    env.faults.append(f"SHOP_LOGO: there is no file static/{SHOP_LOGO}.")
SHOP_CURRENCY = env.code(
    "SHOP_CURRENCY", "EUR", is_known=is_currency, example="an ISO 4217 code such as EUR"
)
SHOP_COUNTRY = env.code(
    "SHOP_COUNTRY", "DE", is_known=is_country, example="an ISO 3166 code such as DE"
)
SHOP_PRICES_INCLUDE_TAX = env.flag("SHOP_PRICES_INCLUDE_TAX", True)
SHOP_EMAIL = env.text("SHOP_EMAIL", "hello@emporium.example")
SHOP_ADDRESS = env.text(
    "SHOP_ADDRESS",
    "" if IS_PRODUCTION else "Emporium Demo, Hafenstraße 1, 12345 Musterstadt, Germany",
)
SHOP_URL = env.url(
    "SHOP_URL",
    "" if IS_PRODUCTION else f"http://127.0.0.1:{env.number('PORT', 8000, at_most=65535)}",
    required="give the shop's public address, such as https://shop.example.com."
    if IS_PRODUCTION
    else "",
).rstrip("/")
# Stripe keeps a payment page open for 30 minutes to 24 hours.
SHOP_PAYMENT_WINDOW_MINUTES = env.number(
    "SHOP_PAYMENT_WINDOW_MINUTES", 45, at_least=35, at_most=1430
)
SHOP_LOW_STOCK = env.number("SHOP_LOW_STOCK", 3, at_most=1_000_000)
SHOP_REVIEWS_AT_ONCE = env.flag("SHOP_REVIEWS_AT_ONCE", False)
SHOP_OFFLINE_PAGE = env.flag("SHOP_OFFLINE_PAGE", True)
SHOP_ORDER_QUANTITY_LIMIT = env.number("SHOP_ORDER_QUANTITY_LIMIT", 99, at_least=1, at_most=9999)

SHOP_MINIMUM_ORDER = env.number("SHOP_MINIMUM_ORDER", 0, at_most=1_000_000)

LANGUAGES = [("en", _("English")), ("de", _("German"))]
LANGUAGE_CODE = env.choice("SHOP_LANGUAGE", "en", [code for code, _name in LANGUAGES])
TIME_ZONE = env.time_zone("SHOP_TIME_ZONE", "Europe/Berlin")
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH: list[str] = []

# Where it runs ------------------------------------------------------------------------------------

ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", [] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
)
if IS_PRODUCTION and not ALLOWED_HOSTS:
    env.faults.append("ALLOWED_HOSTS is not set: list the shop's host names, comma-separated.")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, at_most=10)
TRUSTED_PROXY_NETWORKS = env.networks(
    "TRUSTED_PROXY_NETWORKS",
    ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"],
)
LIMITS_FREE_NETWORKS = env.networks("LIMITS_FREE_NETWORKS", [])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
MAINTENANCE_FILE = Path(env.text("MAINTENANCE_FILE", str(STATE_DIR / "maintenance.json")))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MESSAGE_COOKIE_NAME = "messages"
if urlsplit(SHOP_URL).scheme == "https":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 63_072_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", True)
    SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    MESSAGE_COOKIE_NAME = "__Host-messages"
elif IS_PRODUCTION and SHOP_URL:
    env.faults.append("SHOP_URL must begin with https:// in production.")
SESSION_COOKIE_AGE = 60 * 60 * 24 * env.number("SESSION_DAYS", 30, at_least=1, at_most=400)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 40
LARGEST_BODY_BYTES = env.number("LARGEST_BODY_MB", 45, at_least=3, at_most=1000) * 2**20

# Apps ---------------------------------------------------------------------------------------------

SIGN_IN = read_sign_in_providers(env)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.apps.EmporiumAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    *SIGN_IN.apps,
    "csp",
    "django_htmx",
    "template_partials",
    "shop",
    "accounts",
    "catalog",
    "cart",
    "payments",
    "orders",
]

MESSAGE_STORAGE = "shop.messages.MessageStorage"

MIDDLEWARE = [
    "shop.middleware.headers.response_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shop.middleware.compression.compress_answers",
    "csp.middleware.CSPMiddleware",
    "shop.middleware.bodies.refuse_large_bodies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.middleware.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "shop.middleware.maintenance.close_for_maintenance",
    "shop.middleware.cards.refuse_card_numbers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.waiting.answer_no_sooner",
    "accounts.middleware.sign_in.may_go_elsewhere_to_sign_in",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.looking.look_as_shopper",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.context_processors.shop",
                "catalog.context_processors.navigation",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

FORM_RENDERER = "shop.widgets.QuickRenderer"

# Data ---------------------------------------------------------------------------------------------

if IS_PRODUCTION and not env.is_set("DATABASE_URL"):
    env.faults.append(
        "DATABASE_URL is not set: write it like postgres://user:password@host:5432/emporium."
    )
DATABASES = {"default": env.database("DATABASE_URL", postgres.local_database_url())}
if DATABASES["default"]:
    _database_options = DATABASES["default"].setdefault("OPTIONS", {})
    _has_pooler = env.flag("DATABASE_POOLER", False)
    if not _has_pooler:  # A pooler refuses them; docs/operations.md gives them to the role instead.
        _database_options["options"] = (
            f"-c lock_timeout={env.number('DATABASE_LOCK_TIMEOUT_MS', 3000)}"
            " -c idle_in_transaction_session_timeout=60000 -c jit=off"
        )
    DATABASES["default"]["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE", 600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = _has_pooler
    # A statement that a connection repeats is planned once; a pooler swaps connections under it.
    _database_options["server_side_binding"] = True
    _database_options["prepare_threshold"] = None if _has_pooler else 5
WEB_STATEMENT_TIMEOUT_MS = env.number("WEB_STATEMENT_TIMEOUT_MS", 10_000)

REDIS_URL = env.text("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "shop.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {
                "SOCKET_CONNECT_TIMEOUT": 0.2,
                "SOCKET_TIMEOUT": 0.2,
            },
        }
    }
else:
    CACHES = {"default": {"BACKEND": "shop.cache.LocalCache"}}
# Sessions are read where they are written. A copy in Redis cannot be taken back while Redis is away:
# who signed out would be signed in again afterwards, and a cart or an order of the time between gone.
SESSION_ENGINE = "shop.sessions"

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", REDIS_URL)

# Pages that are the same for everybody are kept; the journal of changes says when they are old.
CHANGES_POLL_SECONDS = env.number("CHANGES_POLL_MS", 500, at_most=60_000) / 1000
PAGE_CACHE_BYTES = env.number("PAGE_CACHE_MB", 64, at_most=1_000_000) * 2**20
SHARED_CACHE_SECONDS = env.number("SHARED_CACHE_SECONDS", 1, at_most=86_400)

# Files --------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "shop.bundles.BundleFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STATIC_HASHED = env.flag("STATIC_HASHED", not DEBUG)
WHITENOISE_USE_FINDERS = not STATIC_HASHED
WHITENOISE_ALLOW_ALL_ORIGINS = False

S3_BUCKET = env.text("S3_BUCKET")
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(STATE_DIR / "media")))
MEDIA_URL = "/media/"
if S3_BUCKET:
    from botocore.config import Config as _S3Config

    MEDIA_URL = env.url(
        "S3_PUBLIC_URL",
        required="give the address of the bucket as browsers see it, ending in a slash.",
    )
    if MEDIA_URL and not MEDIA_URL.endswith("/"):
        env.faults.append(f"S3_PUBLIC_URL is {MEDIA_URL!r}: it must end in a slash.")
    _media_storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "region_name": env.text("S3_REGION", "us-east-1"),
            "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
            "access_key": env.text("S3_ACCESS_KEY") or None,
            "secret_key": env.text("S3_SECRET_KEY") or None,
            # Of itself it waits a minute, five times, while somebody looks at a form.
            "client_config": _S3Config(
                connect_timeout=1,
                read_timeout=4,
                retries={"total_max_attempts": 2, "mode": "standard"},
                s3={
                    "addressing_style": env.choice(
                        "S3_ADDRESSING_STYLE", "auto", ["auto", "path", "virtual"]
                    )
                },
                signature_version="s3v4",
            ),
            "querystring_auth": False,
            "file_overwrite": False,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    }
else:
    _media_storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
STORAGES = {
    "default": _media_storage,
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Mail ---------------------------------------------------------------------------------------------

_email = env.email("EMAIL_URL")
HAS_MAIL_SERVER = bool(_email)
if IS_PRODUCTION and not HAS_MAIL_SERVER:
    env.faults.append(
        "EMAIL_URL is not set: write it like smtp+tls://user:password@mail.example.com:587."
    )
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = _email.get("EMAIL_HOST", "")
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = SHOP_EMAIL

# Payments -----------------------------------------------------------------------------------------

PAYMENT_CAPTURE = env.choice("PAYMENT_CAPTURE", "at_once", ["at_once", "later"])
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRET")
SIMULATOR_IS_ON = env.flag("PAYMENT_SIMULATOR", not IS_PRODUCTION and not STRIPE_SECRET_KEY)
SIMULATOR_URL = env.url(
    "SIMULATOR_URL", f"http://127.0.0.1:{env.number('PORT', 8000, at_most=65535) + 1}"
).rstrip("/")
SIMULATOR_PAYPAL_URL = env.url("SIMULATOR_PAYPAL_URL", SIMULATOR_URL).rstrip("/")
STRIPE_API_BASE = env.url("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"
if SIMULATOR_IS_ON:
    STRIPE_SECRET_KEY = STRIPE_SECRET_KEY or "sk_test_simulator"
    STRIPE_WEBHOOK_SECRETS = STRIPE_WEBHOOK_SECRETS or ["whsec_simulator"]
    STRIPE_API_BASE = STRIPE_CHECKOUT_ORIGIN = SIMULATOR_URL
STRIPE_WEBHOOK_SECRET = next(iter(STRIPE_WEBHOOK_SECRETS), "")
PAYPAL_CLIENT_ID = env.text("PAYPAL_CLIENT_ID")
PAYPAL_CLIENT_SECRET = env.text("PAYPAL_CLIENT_SECRET")
PAYPAL_WEBHOOK_ID = env.text("PAYPAL_WEBHOOK_ID")
PAYPAL_API_BASE = env.url("PAYPAL_API_BASE", "https://api-m.paypal.com").rstrip("/")
PAYPAL_CHECKOUT_ORIGIN = PAYPAL_API_BASE.replace("://api-m.", "://www.")
if SIMULATOR_IS_ON:
    PAYPAL_CLIENT_ID = PAYPAL_CLIENT_ID or "simulator"
    PAYPAL_CLIENT_SECRET = PAYPAL_CLIENT_SECRET or "simulator"
    PAYPAL_WEBHOOK_ID = PAYPAL_WEBHOOK_ID or "SIMULATOR"
    PAYPAL_API_BASE = PAYPAL_CHECKOUT_ORIGIN = SIMULATOR_PAYPAL_URL
PAYPAL_IS_ON = bool(PAYPAL_CLIENT_ID)
# Somebody who tries stolen cards is declined most of the time, a shop's customers hardly ever.
DECLINE_ALARM_PERCENT = env.number("DECLINE_ALARM_PERCENT", 50, at_least=1, at_most=100)
DECLINE_ALARM_LEAST = env.number("DECLINE_ALARM_LEAST", 20, at_least=1)
if IS_PRODUCTION:
    if SIMULATOR_IS_ON:
        env.faults.append(
            "PAYMENT_SIMULATOR is on: it takes no real money; turn it off in production."
        )
    elif not STRIPE_SECRET_KEY:
        env.faults.append("STRIPE_SECRET_KEY is not set: copy it from the Stripe dashboard.")
    elif not f"{STRIPE_API_BASE}/".startswith("https://api.stripe.com/"):
        env.faults.append(
            f"STRIPE_API_BASE is {STRIPE_API_BASE!r}: your key would go there; leave it out, or "
            "write https://api.stripe.com."
        )
if STRIPE_SECRET_KEY and not STRIPE_WEBHOOK_SECRETS:
    env.faults.append(
        "STRIPE_WEBHOOK_SECRET is not set: copy the signing secret of the webhook endpoint "
        f"{SHOP_URL}/payments/webhooks/stripe/ from the Stripe dashboard."
    )
if PAYPAL_IS_ON and not SIMULATOR_IS_ON:
    if not PAYPAL_CLIENT_SECRET:
        env.faults.append(
            "PAYPAL_CLIENT_SECRET is not set: copy it from the app's page at developer.paypal.com."
        )
    if not PAYPAL_WEBHOOK_ID:
        env.faults.append(
            "PAYPAL_WEBHOOK_ID is not set: copy the id of the webhook "
            f"{SHOP_URL}/payments/webhooks/paypal/ from the app's page at developer.paypal.com."
        )
    if PAYPAL_API_BASE not in ("https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"):
        env.faults.append(
            f"PAYPAL_API_BASE is {PAYPAL_API_BASE!r}: your secret would go there; leave it out, "
            "or write https://api-m.paypal.com or https://api-m.sandbox.paypal.com."
        )

SHOP_OFFLINE_PAYMENT = env.choice(
    "SHOP_OFFLINE_PAYMENT",
    "off" if IS_PRODUCTION else "transfer",
    ["off", "transfer", "pick-up"],
)
SHOP_OFFLINE_DETAILS = env.text(
    "SHOP_OFFLINE_DETAILS",
    "" if IS_PRODUCTION else "Emporium Demo; IBAN DE00 0000 0000 0000 0000 00; Demo Bank",
    required="say where the money goes, or where it is brought: lines, with ; between them."
    if SHOP_OFFLINE_PAYMENT != "off"
    else "",
)
SHOP_OFFLINE_DAYS = env.number("SHOP_OFFLINE_DAYS", 7, at_least=1, at_most=60)

# Addresses ----------------------------------------------------------------------------------------

PHOTON_URL = env.url("PHOTON_URL").rstrip("/")
_photon = urlsplit(PHOTON_URL)
if _photon.scheme == "http" and _photon.hostname not in {"localhost", "127.0.0.1", "::1"}:
    env.faults.append(
        f"PHOTON_URL is {PHOTON_URL!r}: addresses of shoppers would travel readable by all; "
        "write https://, or run the geocoder on this machine."
    )

# People -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
# The first hashes new passwords and, at their next sign-in, those of the others (OWASP, Password
# Storage Cheat Sheet).
_hashers = {
    "argon2": "django.contrib.auth.hashers.Argon2PasswordHasher",
    "bcrypt": "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "pbkdf2": "django.contrib.auth.hashers.PBKDF2PasswordHasher",
}
_first_hasher = _hashers.pop(env.choice("PASSWORD_HASHER", "argon2", list(_hashers)))
PASSWORD_HASHERS = [_first_hasher, *_hashers.values()]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
# Whoever finds a device unlocked changes no address, password or second factor with it, and no
# change happens without a mail about it.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
# allauth's limits, counted in PostgreSQL (shop/cache.py); docs/limits.md tells all of them. Beside
# the five guesses in five minutes, an account takes fifty a day, from wherever they come.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key,50/d/key"}
# Twice what they take on a slow machine; a password is hashed in the first.
FORMS_ANSWER_AFTER_SECONDS = {"account_signup": 0.5, "account_reset_password": 0.1}
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "reset_password": "accounts.forms.ResetForm",
    "reset_password_from_key": "accounts.forms.ChooseNewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "add_email": "accounts.forms.AddEmailForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmCodeForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Browsers take http://localhost for a safe origin; what serves real people has https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
MFA_TOTP_ISSUER = SHOP_NAME
# A clock that is half a minute off is common on phones.
MFA_TOTP_TOLERANCE = 1
# A trial offers second factors to its staff; a shop with real customers demands them.
ADMIN_SECOND_FACTOR = env.flag("ADMIN_SECOND_FACTOR", IS_PRODUCTION)
STAFF_IDLE_MINUTES = env.number("STAFF_IDLE_MINUTES", 30, at_least=5, at_most=1440)
STAFF_SESSION_HOURS = env.number("STAFF_SESSION_HOURS", 12, at_least=1, at_most=720)
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.ConfirmSecondFactorForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
}
# A name at another house is proof of an address only where that house says it is; it never opens an
# account that was made here with a password.
SOCIALACCOUNT_PROVIDERS = SIGN_IN.providers
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_FORMS = {"signup": "accounts.forms.SocialSignUpForm"}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
LOGIN_URL = "account_login"

# What is kept of people, and for how long (docs/privacy.md) ----------------------------------------

RETENTION_ORDER_YEARS = env.number(
    "RETENTION_ORDER_YEARS", YEARS_OF_BOOKS.get(SHOP_COUNTRY, 10), at_least=1, at_most=40
)
RETENTION_UNPAID_DAYS = env.number("RETENTION_UNPAID_DAYS", 30, at_least=7, at_most=3650)
RETENTION_CART_DAYS = env.number("RETENTION_CART_DAYS", 365, at_least=7, at_most=3650)
RETENTION_GUEST_CART_DAYS = env.number("RETENTION_GUEST_CART_DAYS", 45, at_least=1, at_most=3650)
RETENTION_SEARCH_DAYS = env.number("RETENTION_SEARCH_DAYS", 90, at_least=1, at_most=3650)
RETENTION_MAIL_DAYS = env.number("RETENTION_MAIL_DAYS", 180, at_least=7, at_most=3650)
RETENTION_PROVIDER_DAYS = env.number("RETENTION_PROVIDER_DAYS", 90, at_least=7, at_most=3650)
RETENTION_COPY_DAYS = env.number("RETENTION_COPY_DAYS", 7, at_least=1, at_most=90)

# Catalogue pages are the same for everybody and show no messages; these pages do.
LOGIN_REDIRECT_URL = "orders:account"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# Content security ---------------------------------------------------------------------------------

_media_origin = ["{0.scheme}://{0.netloc}".format(urlsplit(MEDIA_URL))] if "//" in MEDIA_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *_media_origin],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
# What is no page loads and runs nothing when it is opened by itself; what somebody uploaded does not
# even belong to the shop's origin then.
FILE_CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
UPLOAD_CONTENT_SECURITY_POLICY = f"{FILE_CONTENT_SECURITY_POLICY}; sandbox"
# What django-unfold needs beyond that: a few of its templates and scripts have style attributes.
ADMIN_CONTENT_SECURITY_POLICY = {"style-src-attr": [UNSAFE_INLINE]}

# Admin --------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_URL": "/",
    "SITE_SYMBOL": "storefront",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("favicon/favicon.svg"),
        }
    ],
    "STYLES": [
        lambda request: static("css/admin/theme.css"),
        lambda request: static("css/admin/desk.css"),
    ],
    "SCRIPTS": [lambda request: static("js/admin/alpine.js")],
    "DASHBOARD_CALLBACK": "orders.admin.dashboard.add_dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "config.admin_navigation.list_navigation"},
}

# Proving ------------------------------------------------------------------------------------------

FAILPOINTS = env.text("FAILPOINTS")
if IS_PRODUCTION and FAILPOINTS:
    env.faults.append(
        "FAILPOINTS is set: it breaks the shop on purpose; leave it out in production."
    )
PROVING_DATABASE = "config.postgres.Cluster"

# Logs ---------------------------------------------------------------------------------------------

_log_level = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "shop.scrubbing.ScrubbingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": _log_level if env.is_set("LOG_LEVEL") else "WARNING"},
    "loggers": {
        name: {"level": _log_level}
        for name in ("shop", "accounts", "catalog", "cart", "payments", "orders")
    },
}

try:
    env.raise_faults()
except ConfigurationFaults as faults:
    raise ImproperlyConfigured(str(faults)) from None
