# One image for site, worker, schedule and migrations. It holds no secret: all that a server needs comes from its environment.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /tmp/requirements.txt
RUN /venv/bin/pip install --only-binary=:all: -r /tmp/requirements.txt && /venv/bin/pip uninstall --yes pip setuptools
WORKDIR /app
COPY . .
# A server's settings choose how static files are named and packed. The secrets of this one line sign nothing, and are gone after it.
RUN secret() { python -c 'import secrets; print(secrets.token_urlsafe(64))'; } \
    && DATABASE_URL=sqlite://:memory: SECRET_KEY="$(secret)" JWT_SIGNING_KEY="$(secret)" AUDIT_HMAC_KEY="$(secret)" \
       /venv/bin/python manage.py collectstatic --noinput -v 0 \
    && /venv/bin/python -m compileall -q /venv /app

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 aegis \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin aegis \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AEGIS_DATA_DIR=/data
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import http.client; site = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); site.request('GET', '/health'); raise SystemExit(site.getresponse().status != 200)"]
CMD ["gunicorn", "--config", "python:aegis.gunicorn", "aegis.wsgi"]
