# One image per role, with what the role's extra in pyproject.toml brings; docs/how-to/compose.md has their sizes and reasons.
# Neither mounts nor heredocs nor a frontend image: the classic builder and BuildKit both build it.
ARG BASE_IMAGE=debian:12.11-slim

# --- what every image stands on ---------------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS base
# Certificates (PEM) of a company's proxy, a path in the build context; apt, pip, uv, Python and Java then trust them.
ARG CA_BUNDLE=docker/no-ca-bundle.pem
COPY ${CA_BUNDLE} /usr/local/share/ca-certificates/company.crt
RUN set -eu; \
    company=/usr/local/share/ca-certificates/company.crt; \
    if [ -s "$company" ]; then \
        chmod 644 "$company"; \
        printf 'Acquire::https::CAInfo "%s";\n' "$company" > /etc/apt/apt.conf.d/90-company-ca; \
    else \
        rm "$company"; \
    fi; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates libgomp1 python3 tini; \
    update-ca-certificates; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/apt/apt.conf.d/90-company-ca
ENV LANG=C.UTF-8 \
    PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

# --- dependencies by role: rebuilt when the lock file changes, not when the code does ---------------------------------
FROM base AS build
ARG UV_VERSION=0.13.9
RUN set -eu; \
    apt-get update; \
    apt-get install -y --no-install-recommends python3-pip; \
    rm -rf /var/lib/apt/lists/*; \
    PIP_CERT="$SSL_CERT_FILE" pip install --no-cache-dir --break-system-packages "uv==${UV_VERSION}"
# The CPU build of XGBoost loads without NVIDIA's communication library, which alone would weigh 450 MB.
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_FROZEN=1 \
    UV_NO_DEV=1 \
    UV_NO_PROGRESS=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_HTTP_TIMEOUT=300 \
    LEFT_OUT="--no-install-project"
WORKDIR /src
COPY pyproject.toml uv.lock ./

FROM build AS generator-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra generator

FROM build AS dashboards-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra dashboards

FROM build AS ingest-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra ingest

FROM build AS devices-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra devices

FROM build AS embedded-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra embedded

FROM build AS registry-dependencies
RUN uv sync --no-cache $LEFT_OUT --extra registry

# Its downloads stay in this stage, because nearly all of them are Spark's as well.
FROM build AS scoring-dependencies
RUN uv sync $LEFT_OUT --extra scoring

FROM scoring-dependencies AS spark-dependencies
COPY docker/java_truststore.py ./
RUN set -eu; \
    uv sync $LEFT_OUT --extra ml --extra generator; \
    python java_truststore.py

# --- Java archives: fetched again only when their lock file changes ---------------------------------------------------
FROM base AS archives
ARG MAVEN_URL=
WORKDIR /src
COPY docker/fetch_archives.py services/fraudstream/runtime/parts/artifacts.lock.json ./
RUN MAVEN_URL="$MAVEN_URL" python3 fetch_archives.py artifacts.lock.json /opt/fraudstream/cache/maven

# --- our own Java, compiled from these archives: containers need neither a compiler nor a network ---------------------
FROM spark-dependencies AS java
ENV FRAUDSTREAM_CACHE_DIR=/opt/fraudstream/cache PYTHONPATH=/src/services
COPY --from=archives /opt/fraudstream /opt/fraudstream
COPY services/fraudstream/core services/fraudstream/core
COPY services/fraudstream/runtime/__init__.py services/fraudstream/runtime/
COPY services/fraudstream/runtime/parts/__init__.py services/fraudstream/runtime/parts/artifacts.py \
     services/fraudstream/runtime/parts/artifacts.lock.json services/fraudstream/runtime/parts/java.py \
     services/fraudstream/runtime/parts/jvm_libraries.py services/fraudstream/runtime/parts/
COPY services/jvm services/jvm
RUN set -eu; \
    ln -s "$(python -m fraudstream.runtime.parts.java)" /opt/fraudstream/java; \
    python -m fraudstream.runtime.parts.artifacts spark-kafka --into /opt/spark-jars; \
    python -m fraudstream.runtime.parts.artifacts javascript --into /opt/spark-jars; \
    python -m fraudstream.runtime.parts.jvm_libraries spark javascript --into /opt/spark-jars; \
    python -m fraudstream.runtime.parts.jvm_libraries documentstore devices

# --- our own code, the same in every image ----------------------------------------------------------------------------
FROM build AS project
COPY README.md LICENSE NOTICE ./
COPY projects projects
COPY services services
COPY generator generator
COPY ml ml
COPY dashboards dashboards
RUN set -eu; \
    uv venv -q /opt/venv; \
    uv pip install -q --no-deps --compile-bytecode --python /opt/venv/bin/python .; \
    packages=lib/python3.11/site-packages; \
    mkdir -p /opt/project/bin "/opt/project/$packages"; \
    cp -a /opt/venv/bin/fraudstream /opt/project/bin/; \
    cp -a "/opt/venv/$packages"/fraudstream* "/opt/project/$packages/"; \
    chmod -R a+rX /opt/project

# --- the images -------------------------------------------------------------------------------------------------------
FROM base AS runtime
# A clone's files may be readable for their owner alone, and keep that here: the images run as somebody else.
COPY docker/answers.sh /usr/local/bin/answers
RUN set -eu; \
    chmod 755 /usr/local/bin/answers; \
    useradd --system --no-create-home --uid 10001 --shell /usr/sbin/nologin fraudstream; \
    install -d -o fraudstream -g fraudstream /data
# Root file systems are read-only: what writes elsewhere than to /data does so below /tmp.
ENV HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    DO_NOT_TRACK=true \
    FRAUDSTREAM_PROFILE=compose \
    FRAUDSTREAM_DATA_DIR=/data
WORKDIR /data
USER fraudstream
# As process 1 it passes signals on to programs that have no handler of their own, and reaps orphans.
ENTRYPOINT ["/usr/bin/tini", "--"]

FROM runtime AS generator
COPY --from=generator-dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
CMD ["fraudstream", "generate", "live"]

FROM runtime AS dashboards
COPY --from=dashboards-dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
CMD ["python", "-m", "fraudstream.dashboards"]

FROM runtime AS scoring
COPY --from=scoring-dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
CMD ["python", "-m", "fraudstream.scoring"]

FROM runtime AS ingest
COPY --from=ingest-dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
CMD ["python", "-m", "fraudstream.ingest"]

FROM runtime AS devices
ENV FRAUDSTREAM_CACHE_DIR=/opt/fraudstream/cache
COPY --from=devices-dependencies /opt/venv /opt/venv
COPY --from=java /opt/fraudstream /opt/fraudstream
COPY --from=project /opt/project /opt/venv
CMD ["python", "-m", "fraudstream.runtime.parts.devices"]

FROM runtime AS mlflow
COPY --from=registry-dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
CMD ["python", "-m", "fraudstream.runtime.parts.mlflow_server"]

FROM runtime AS spark
ENV JAVA_HOME=/opt/fraudstream/java
COPY --from=spark-dependencies /opt/venv /opt/venv
COPY --from=java /opt/spark-jars /opt/venv/lib/python3.11/site-packages/pyspark/jars
COPY --from=java /opt/fraudstream/cache/java /opt/fraudstream/cache/java
COPY --from=java /opt/fraudstream/java /opt/fraudstream/java
COPY --from=project /opt/project /opt/venv
# Spark maps its classes from there, instead of loading and checking them one by one at every start.
USER root
RUN set -eu; \
    FRAUDSTREAM_DATA_DIR=/tmp/archive python -m fraudstream.runtime.parts.class_archive --into /opt/fraudstream/spark.jsa; \
    chmod 444 /opt/fraudstream/*.jsa; \
    rm -rf /tmp/*
USER fraudstream
ENV FRAUDSTREAM_SPARK_CLASS_ARCHIVE=/opt/fraudstream/spark.base.jsa:/opt/fraudstream/spark.jsa

FROM spark AS stream
CMD ["python", "-m", "fraudstream.stream"]

FROM spark AS store
CMD ["python", "-m", "fraudstream.store"]

FROM spark AS bootstrap
CMD ["fraudstream", "bootstrap"]

# --- stand-ins for Kafka's and MongoDB's official images, where no image registry can be reached ----------------------
FROM runtime AS embedded
ENV FRAUDSTREAM_CACHE_DIR=/opt/fraudstream/cache FRAUDSTREAM_BIND_HOST=0.0.0.0
COPY --from=embedded-dependencies /opt/venv /opt/venv
COPY --from=java /opt/fraudstream /opt/fraudstream
COPY --from=project /opt/project /opt/venv
USER root
RUN install -d -o 1000 -g 1000 /var/lib/kafka/data && install -d -o 999 -g 999 /data/db

FROM embedded AS standin-kafka
USER 1000:1000
VOLUME /var/lib/kafka/data
EXPOSE 9092
CMD ["python", "-m", "fraudstream.runtime.parts.standins", "kafka"]

FROM embedded AS standin-mongo
USER 999:999
VOLUME /data/db
EXPOSE 27017
CMD ["python", "-m", "fraudstream.runtime.parts.standins", "mongo"]
