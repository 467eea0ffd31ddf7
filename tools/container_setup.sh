#!/usr/bin/env bash
# What a container of the course is made with: Dockerfile and .devcontainer/devcontainer.json run it, and so does a test.
#
#   tools/container_setup.sh packages read     Debian's packages for reading, as root
#   tools/container_setup.sh packages grade    those for grading, too
#   tools/container_setup.sh course            the course itself, in .venv, as the user who works with it
set -euo pipefail

refuse() {
    echo "container_setup.sh: expected 'packages read', 'packages grade' or 'course', got '$*'" >&2
    exit 2
}

# Installs those whose program is not there yet.
packages() {
    local missing=()
    command -v git >/dev/null || missing+=(git)
    command -v make >/dev/null || missing+=(make)
    if [ "$1" = grade ] && ! command -v bwrap >/dev/null; then missing+=(bubblewrap); fi
    if [ "${#missing[@]}" -eq 0 ]; then return; fi
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
    rm -rf /var/lib/apt/lists/*
}

course() {
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    # PyTorch's builds without CUDA; on Linux, PyPI's have it, and are several GB larger.
    export PIP_FIND_LINKS="${PIP_FIND_LINKS:-https://download.pytorch.org/whl/cpu/torch/}"
    export PIP_NO_CACHE_DIR=1
    python3 tools/setup_env.py
}

case "$*" in
"packages read" | "packages grade") packages "$2" ;;
course) course ;;
*) refuse "$*" ;;
esac
