# The image of corsproxy: CPython, the locked dependencies, the package in its compiled form, and nothing that the running
# proxy does not need.
# Built by `make image`; `make image-test` builds it on another base and tries it out.
# A base is a Debian or one made from it, with Python's headers, as the official images of Python are.

ARG BASE=python:3.14-slim-bookworm

# --- what is only needed to build -------------------------------------------------------------------------------------
FROM ${BASE} AS build

# The compiler of the compiled form; it is in this stage alone.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev

WORKDIR /build
# The environment has no pip of its own: the base's installs into it from outside, so none reaches the final stage with it.
RUN ["python3", "-m", "venv", "--without-pip", "/opt/corsproxy"]
RUN ["python3", "-m", "venv", "/opt/builder"]

# Dependencies first: this layer changes only when the lock does.
# Wheels only, each by its hash: none is compiled and nothing unlisted is run.
COPY requirements/run.txt requirements/compile.txt ./requirements/
RUN ["/opt/builder/bin/python", "-m", "pip", "--python", "/opt/corsproxy/bin/python", "install", \
     "--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "-r", "requirements/run.txt"]
# The builder gets them, too: mypyc reads their types.
RUN ["/opt/builder/bin/python", "-m", "pip", "install", \
     "--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", \
     "-r", "requirements/run.txt", "-r", "requirements/compile.txt"]

# The package is built with the locked setuptools and mypyc (no isolation, so nothing else is fetched) and installed alone.
ENV CORSPROXY_COMPILE=1
COPY pyproject.toml README.md LICENSE build_backend.py setup.py ./
COPY corsproxy ./corsproxy
RUN ["/opt/builder/bin/python", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir", \
     "--disable-pip-version-check", "--wheel-dir", "/build/dist", "."]
RUN ["/opt/builder/bin/python", "-m", "pip", "--python", "/opt/corsproxy/bin/python", "install", "--no-index", \
     "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--find-links", "/build/dist", "corsproxy"]
# What was installed is compiled, and works with this Python (-I: the sources in this folder are not looked at).
RUN ["/opt/corsproxy/bin/python", "-I", "-c", \
     "import corsproxy.proxy.relay as module; assert module.__file__.endswith('.so'), module.__file__"]

# --- what runs --------------------------------------------------------------------------------------------------------
FROM ${BASE}

LABEL org.opencontainers.image.title="corsproxy" \
      org.opencontainers.image.description="A reverse proxy that owns CORS for HTTP services that do not, or do it wrong" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /opt/corsproxy /opt/corsproxy

# All interfaces of the container: its network decides who reaches them. The same options, given to `docker run` or in
# a pod, win over these; and these win over `listen` and `admin` in the file.
# The root file system may be read-only, so no bytecode is written; logs leave as they are made.
ENV PATH=/opt/corsproxy/bin:/usr/local/bin:/usr/bin:/bin \
    CORSPROXY_LISTEN=0.0.0.0:8080 \
    CORSPROXY_ADMIN=0.0.0.0:8081 \
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
