# The book in a container, in the versions of requirements.txt:
#     docker build -t the-book .
#     docker run --rm -p 8888:8888 the-book            read it in JupyterLab
#     docker run --rm --privileged the-book make test  run every check; the sandbox needs namespaces
FROM python:3.13-slim-bookworm
RUN apt-get update -q && apt-get install -q -y --no-install-recommends \
      bubblewrap chromium git make && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home reader && mkdir /book && chown reader /book
USER reader
WORKDIR /book
COPY --chown=reader . .
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu PIP_NO_CACHE_DIR=1
RUN python bootstrap.py
EXPOSE 8888
CMD [".venv/bin/python", "site/desk.py", "--ip=0.0.0.0", "--no-browser"]
