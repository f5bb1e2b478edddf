# One file for both sides: it takes the runtime and the probe from the build context, and fetches nothing.
ARG BASE=python:3.13-slim
FROM ${BASE}
ENV PYTHONPATH=/bench/src:/bench \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SCALE_SCRATCH=/scratch \
    TMPDIR=/scratch \
    HOME=/scratch \
    SCALE_VT=1
WORKDIR /bench
COPY src /bench/src
COPY harness /bench/harness
# A base without Python fails here. Bytecode is for speed of start: a runtime that does not compile is for its first
# cell to report.
RUN python3 --version && (python3 -m compileall -q /bench/src /bench/harness || true)
# What the sessions write goes to a volume that dies with the container: a file on the image's own layers costs half as
# much again.
RUN mkdir -m 1777 /scratch
VOLUME /scratch
USER 65534:65534
ENTRYPOINT ["python3", "-m", "harness.probe"]
