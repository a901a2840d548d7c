"""Settings: one file, every value from the environment, defaults that are safe on one machine.

Without `DATABASE_URL` Aegis runs embedded: SQLite and files below `AEGIS_DATA_DIR` (./var), with a secret key made on first
use. With `DATABASE_URL` it is a team's server, and every secret must be given. `docs/configuration.md` lists all variables.
"""

from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

from aegis import __version__
from aegis.lib.broker import broker
from aegis.lib.evidence_storage import evidence_storage, snapshot_storage
from aegis.lib.secrets import generated_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

EMBEDDED = not env.str("DATABASE_URL", "")
DATA_DIR = Path(env.str("AEGIS_DATA_DIR", "") or BASE_DIR / "var").resolve()
DEBUG = env.bool("DEBUG", False)
HTTPS = env.bool("AEGIS_HTTPS", not EMBEDDED and not DEBUG)

SECRET_KEY = env.str("SECRET_KEY", "") or (
    generated_secret(DATA_DIR / "secret_key") if EMBEDDED else env.str("SECRET_KEY")
)
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", "") or (
    generated_secret(DATA_DIR / "jwt_signing_key") if EMBEDDED else env.str("JWT_SIGNING_KEY")
)
AUDIT_HMAC_KEY = env.str("AUDIT_HMAC_KEY", "") or (
    generated_secret(DATA_DIR / "audit_hmac_key") if EMBEDDED else env.str("AUDIT_HMAC_KEY")
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
JWT_SIGNING_OLD_KEYS = env.list("JWT_SIGNING_OLD_KEYS", default=[])
AUDIT_HMAC_OLD_KEYS = env.list("AUDIT_HMAC_OLD_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "coverage",
    "imports",
    "compliance",
    "intel",
    "catalog",
    "aegis.audit",
    "aegis.accounts",
    "aegis.lib",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "aegis.lib.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "aegis.audit.middleware.AuditMiddleware",
    "aegis.probes.ProbesMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "aegis.lib.body_limit.BodyLimitMiddleware",
    "aegis.accounts.sessions.SessionLimitsMiddleware",
    "aegis.accounts.middleware.PolicyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "aegis.lib.unstorable.UnstorableMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "aegis.urls"
WSGI_APPLICATION = "aegis.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["aegis.lib.templatetags.aegis"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coverage.context.navigation",
            ],
        },
    }
]

DATABASES = {
    "default": environ.Env.db_url_config(env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'aegis.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN, so that two writers queue instead of failing half-way (SQLITE_BUSY).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A connection that stays keeps what it has read in memory, on SQLite too.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
DATABASE_STATEMENT_SECONDS = env.float("DATABASE_STATEMENT_SECONDS", 60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_HANDLER = "aegis.accounts.throttle.Throttle"
AXES_FAILURE_LIMIT = 5  # for one user from one network; aegis.accounts.throttle holds the limit of a network beside it
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address", ["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "aegis.lib.addresses.client_network"
AXES_LOCKOUT_CALLABLE = "aegis.accounts.throttle.too_many_attempts"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

SESSION_COOKIE_NAME = "__Host-aegis" if HTTPS else "aegis"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_SECONDS", 30 * 60)
SESSION_ABSOLUTE_SECONDS = env.int("SESSION_ABSOLUTE_SECONDS", 12 * 3600)
SESSION_SAVE_EVERY_REQUEST = False
CSRF_COOKIE_NAME = "__Host-aegis-csrf" if HTTPS else "aegis-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Strict"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)"]  # probes speak plain HTTP, from within
SECURE_HSTS_SECONDS = 63_072_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
NUM_PROXIES = 0
if env.bool("AEGIS_BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    NUM_PROXIES = env.int("AEGIS_NUM_PROXIES", 1)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("AEGIS_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "evidence": evidence_storage(env, DATA_DIR / "evidence"),
    "snapshots": snapshot_storage(env, DATA_DIR / "snapshots"),
    # Compressing the API's documentation takes a minute: worth it on a network, for nothing on this machine.
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "aegis.accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["aegis.accounts.permissions.PolicyPermission"],
    "DEFAULT_PARSER_CLASSES": ["aegis.lib.parsers.StrictJSON"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "aegis.lib.renderers.SitePages",
    ],
    "DEFAULT_SCHEMA_CLASS": "aegis.lib.schema.Described",
    "DEFAULT_PAGINATION_CLASS": "aegis.lib.listing.Pages",
    "DEFAULT_FILTER_BACKENDS": ["aegis.lib.listing.FilterBackend", "aegis.lib.listing.OrderingBackend"],
    "EXCEPTION_HANDLER": "aegis.lib.problems.problem_response",
    "PAGE_SIZE": 50,
}
SIMPLE_JWT = {
    "ALGORITHM": env.str("ALGORITHM", "HS256"),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "AUDIENCE": "aegis-api",
    "ISSUER": "aegis",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("ACCESS_TOKEN_EXPIRE_MINUTES", 60)),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "CHECK_REVOKE_TOKEN": True,
    "LEEWAY": 10,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Aegis",
    "DESCRIPTION": "Which ATT&CK techniques a team would detect, the proof, and what to do next.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "PREPROCESSING_HOOKS": ["aegis.lib.schema.without_slashes"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "aegis.lib.schema.with_problems",
        "aegis.lib.schema.with_empty_filters",
        "aegis.lib.schema.with_summaries",
        "aegis.lib.schema.with_examples",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CoverageStatusEnum": "coverage.techniques.status.Status",
        "FeedKindEnum": "intel.models.Feed.Kind",
        "MentionKindEnum": "intel.models.Mention.Kind",
        "ImportStatusEnum": "imports.models.ImportRun.Status",
        "ReviewReasonEnum": "coverage.models.TechniqueCoverage.Reason",
        "SightingEnum": "coverage.testing.outcomes.Sighting",
        "TestStateEnum": "coverage.testing.workflow.State",
    },
    # 3.1 is JSON Schema as everybody else writes it, so that any validator holds the answers to it.
    "OAS_VERSION": "3.1.0",
}

_broker = broker(env.str("REDIS_URL", ""), DATA_DIR / "queue")
CELERY_BROKER_URL = _broker["url"]
CELERY_BROKER_TRANSPORT = _broker["transport"]
CELERY_BROKER_TRANSPORT_OPTIONS = _broker["options"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True  # what became of a task stands in the row that it was about
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "aegis.lib.worker_pool:TaskPool"
CELERY_WORKER_LOST_WAIT = 2  # seconds in which the last word of a process that died may still arrive
# SQLite has one writer at a time: a second worker process would only wait for the first.
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", 1 if EMBEDDED else 2)
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000  # kilobytes; a process that has grown beyond is replaced after its task
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = (
    False  # a task delivered twice runs once, and an import is long
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SYNC_EVERY = 1  # what beat has sent is in the database at once: /system/scheduler-status reads it there
# Jobs of the house, by name: {"task": "<app>.tasks.<function>", "schedule": timedelta(...) or crontab(...)}. Beat writes them
# to its table when it starts, so this is where they are changed. When sources sync is told by their rows, not here.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Watch imports": {
        "task": "imports.tasks.watch",
        "schedule": timedelta(seconds=15),
        "options": {"expire_seconds": 15},
    },
    # It looks every hour which feeds are due: each row says how often that is.
    "Scan feeds": {
        "task": "imports.tasks.scan_due_feeds",
        "schedule": timedelta(hours=1),
        "options": {"expire_seconds": 3600},
    },
    # Every hour, so that a machine that sleeps at midnight has the day all the same: of one day the last snapshot stays.
    "Keep today's coverage": {
        "task": "coverage.tasks.take_snapshot",
        "schedule": timedelta(hours=1),
        "options": {"expire_seconds": 3600},
    },
    "Forget what is over": {
        "task": "aegis.accounts.tasks.forget_what_is_over",
        "schedule": timedelta(hours=1),
        "options": {"expire_seconds": 3600},
    },
    "Tell the end of the audit trail": {
        "task": "aegis.audit.tasks.tell_head",
        "schedule": timedelta(hours=1),
        "options": {"expire_seconds": 3600},
    },
    "Mail the news": {
        "task": "coverage.tasks.mail_digest",
        "schedule": crontab(hour=7, minute=0, day_of_week="monday"),
        "options": {"expire_seconds": 24 * 3600},
    },
}

DEFAULT_EXCEPTION_REPORTER_FILTER = "aegis.lib.door_keys.QuietDebugPages"
METRICS_TOKEN = env.str("AEGIS_METRICS_TOKEN", "")
AEGIS_MIRROR = env.str("AEGIS_MIRROR", "")
AEGIS_EXTRA_HOSTS = env.list("AEGIS_EXTRA_HOSTS", default=[])
AEGIS_BUNDLE_KEYS = env.list("AEGIS_BUNDLE_KEYS", default=[])
AEGIS_BUNDLE_SIGNING_KEY = env.str("AEGIS_BUNDLE_SIGNING_KEY", "")
AEGIS_TAXII_URL = env.str("AEGIS_TAXII_URL", "https://attack-taxii.mitre.org/api/v21/")
AEGIS_TAXII20_URL = env.str("AEGIS_TAXII20_URL", "")
AEGIS_TAXII_SECONDS = env.int("AEGIS_TAXII_SECONDS", 90)
AEGIS_REVIEW_AFTER_DAYS = env.int("AEGIS_REVIEW_AFTER_DAYS", 180)
AEGIS_INTEL_FLAGS = env.int("AEGIS_INTEL_FLAGS", 25)
AEGIS_INTEL_DIGEST = env.bool("AEGIS_INTEL_DIGEST", False)
AEGIS_URL = env.str("AEGIS_URL", "http://127.0.0.1:8000").rstrip("/")

EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "aegis@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "class": "aegis.audit.log_lines.OneLine",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"class": "aegis.audit.log_lines.JsonLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if env.str("LOG_FORMAT", "plain" if EMBEDDED else "json") == "json" else "plain",
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}

EVIDENCE_MAX_BYTES = env.int("EVIDENCE_MAX_MB", 100) * 1024 * 1024
EVIDENCE_DAILY_BYTES = env.int("EVIDENCE_DAILY_MB", 20 * 1024) * 1024 * 1024
EVIDENCE_MAX_FILES = env.int("EVIDENCE_MAX_FILES", 50)
BUNDLE_MAX_BYTES = env.int("BUNDLE_MAX_MB", 200) * 1024 * 1024
REPORT_TEMPLATES = env.str("REPORT_TEMPLATES", "")
LAYER_MAX_BYTES = env.int("LAYER_MAX_MB", 10) * 1024 * 1024
