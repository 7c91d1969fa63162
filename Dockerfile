# tronie as a service, on the processor: docs/service.md tells how to run it.
#     docker build -t tronie .
#     docker run --rm -p 127.0.0.1:8765:8765 -v tronie:/data --read-only --tmpfs /tmp tronie
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE LICENSES.md ./
COPY src src
RUN python -m venv /opt/tronie && /opt/tronie/bin/pip install --no-cache-dir ".[web,postgres,usd]"

FROM python:3.12-slim
COPY --from=build /opt/tronie /opt/tronie
RUN useradd --system --uid 10001 --home-dir /data --no-create-home tronie \
  && install -d -o tronie -g tronie -m 0700 /data
USER 10001
# Nothing but /data and /tmp is written: uploads, results, the user's models and compiled kernels lie there.
ENV PATH=/opt/tronie/bin:$PATH \
  HOME=/data \
  TRONIE_HOME=/data/models \
  NUMBA_CACHE_DIR=/data/kernels \
  PYTHONDONTWRITEBYTECODE=1 \
  PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
# Whoever reaches the container's port is not on its loopback: without TRONIE_TOKEN one is made and written to the log.
ENTRYPOINT ["tronie", "serve", "--host", "0.0.0.0", "--data", "/data/service"]
