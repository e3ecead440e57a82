# The image of corsproxy: CPython, the locked dependencies, the package in its compiled form, and nothing that the running
# proxy does not need.
# Built by `make image`; `make image-test` builds it on another base and tries it out.
# A base is a Debian or one made from it, with Python's headers, as the official images of Python are.
# A tag moves; what is released is built on a digest: make image BASE=python:3.14-slim-bookworm@sha256:...
# `skopeo inspect docker://python:3.14-slim-bookworm` says which one the tag means today.

ARG BASE=python:3.14-slim-bookworm

# --- needed only for the build ----------------------------------------------------------------------------------------
FROM ${BASE} AS build

# The compiler of the compiled form; it is only in this stage.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev

WORKDIR /build
# The environment has no pip: the base's pip installs into it from outside, so that none reaches the final stage.
RUN ["python3", "-m", "venv", "--without-pip", "/opt/corsproxy"]
RUN ["python3", "-m", "venv", "/opt/builder"]

# Dependencies first: this layer changes only when the lock does.
# Wheels only, each by its hash: none is compiled and nothing unlisted is run.
COPY requirements/run.txt requirements/compile.txt ./requirements/
RUN ["/opt/builder/bin/python", "-m", "pip", "--python", "/opt/corsproxy/bin/python", "install", \
     "--no-cache-dir", "--disable-pip-version-check", "--no-compile", "--require-hashes", "--only-binary", ":all:", \
     "-r", "requirements/run.txt"]
# The builder gets them, too: mypyc reads their types.
RUN ["/opt/builder/bin/python", "-m", "pip", "install", \
     "--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", \
     "-r", "requirements/run.txt", "-r", "requirements/compile.txt"]

# The package is built with the locked setuptools and mypyc (no isolation, so nothing else is fetched) and installed alone.
ENV CORSPROXY_COMPILE=1
COPY pyproject.toml README.md LICENSE setup.py ./
COPY corsproxy ./corsproxy
RUN ["/opt/builder/bin/python", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir", \
     "--disable-pip-version-check", "--wheel-dir", "/build/dist", "."]
RUN ["/opt/builder/bin/python", "-m", "pip", "--python", "/opt/corsproxy/bin/python", "install", "--no-index", \
     "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-compile", "--find-links", "/build/dist", "corsproxy"]
# Bytecode that is valid by its source's hash instead of its time, so that two builds are the same byte for byte.
# -f: what an earlier step happened to import (attrs) has left bytecode that goes by the time, which would be kept.
RUN ["/opt/corsproxy/bin/python", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", "/opt/corsproxy/lib"]
# What was installed is compiled, and works with this Python (-I: the sources in this folder are not looked at).
RUN ["/opt/corsproxy/bin/python", "-I", "-c", \
     "import corsproxy.proxy.relay as module; assert module.__file__.endswith('.so'), module.__file__"]

# --- what runs --------------------------------------------------------------------------------------------------------
FROM ${BASE}

ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="corsproxy" \
      org.opencontainers.image.description="A reverse proxy that handles CORS for HTTP services that lack it or get it wrong" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /opt/corsproxy /opt/corsproxy

# All interfaces of the container: its network decides who reaches them. The same options, given to `docker run` or in
# a pod, win over these; and these win over `listen` and `admin` in the file.
# The root file system may be read-only, so no bytecode is written; logs leave as they are made.
ENV PATH=/opt/corsproxy/bin:/usr/local/bin:/usr/bin:/bin \
    CORSPROXY_LISTEN=0.0.0.0:8080 \
    CORSPROXY_ADMIN=0.0.0.0:8081 \
    CORSPROXY_WATCH=true \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A corsproxy.yaml mounted into this directory is found without an option.
WORKDIR /etc/corsproxy

# A number, because an orchestrator that must not run root (runAsNonRoot) cannot look a name up.
USER 10001:10001
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["corsproxy", "healthcheck"]
ENTRYPOINT ["corsproxy"]
CMD ["serve"]
