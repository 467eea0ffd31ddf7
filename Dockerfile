# The course in a container, without CUDA. To read:
#
#     docker build --target read -t vaeedu .
#     docker run --rm -it -p 127.0.0.1:8888:8888 -v vaeedu-assignments:/course/assignments vaeedu
#
# and open the address that it prints. What you write into assignments/ stays in that volume. To grade, with the class in ./classroom:
#
#     docker build --target grade -t vaeedu-grade .
#     docker run --rm -it -v "$PWD/classroom:/course/classroom" --security-opt seccomp=unconfined \
#         --security-opt apparmor=unconfined --security-opt systempaths=unconfined vaeedu-grade vaeedu grade 03_topic
#
# Each submission runs in a sandbox within the container, and these three options let it make one. They loosen the container
# itself: give it nothing but the class. What a sandbox needs is in docs/hub.md.

FROM python:3.13-slim AS packages
COPY tools/container_setup.sh /usr/local/bin/
RUN container_setup.sh packages read \
    && useradd --create-home --uid 1000 reader \
    && install -d -o reader -g reader /course
USER reader
WORKDIR /course

FROM packages AS read
COPY --chown=reader:reader . .
RUN tools/container_setup.sh course
ENV PATH=/course/.venv/bin:$PATH
EXPOSE 8888
CMD ["make", "lab", "LAB_ARGS=--ip=0.0.0.0 --no-browser"]

FROM read AS grade
USER root
RUN container_setup.sh packages grade
USER reader
CMD ["vaeedu", "demo-class"]
