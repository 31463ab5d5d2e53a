# ConeGrad with TensorRT on a Jetson with JetPack 7; docs/deployment.md says what each JetPack gets.
# On the Jetson, from the root of the repository:
#   docker build -f docker/Dockerfile -t conegrad .
#   docker build -f docker/jetson.Dockerfile -t conegrad:jetson .
ARG BASE=conegrad
FROM ${BASE}
# Jetson Linux of the board, as its package index is called: r39.2 is JetPack 7.2, r38.4 is JetPack 7.1.
ARG JETSON_LINUX=r39.2

# TensorRT of the JetPack; the environment of the image sees it as a package of the system's Python. The
# driver comes from the board at run time, so that nothing can be loaded on its GPU while this is built.
ADD --chmod=644 https://repo.download.nvidia.com/jetson/jetson-ota-public.asc /usr/share/keyrings/jetson.asc
RUN echo "deb [signed-by=/usr/share/keyrings/jetson.asc] https://repo.download.nvidia.com/jetson/common ${JETSON_LINUX} main" \
        > /etc/apt/sources.list.d/jetson.list \
    && printf '%s\n' 'Package: *' 'Pin: origin repo.download.nvidia.com' 'Pin-Priority: 100' '' \
        'Package: *nvinfer* *nvonnxparser* tensorrt*' 'Pin: origin repo.download.nvidia.com' \
        'Pin-Priority: 900' > /etc/apt/preferences.d/jetson \
    && apt-get update && apt-get install -y --no-install-recommends \
        libnvinfer-plugin10 libnvonnxparsers10 python3-libnvinfer \
    && rm -rf /var/lib/apt/lists/*

# The build stops where a package is missing, or where the image could no more perceive on the CPU.
RUN .venv/bin/python -c "from importlib.util import find_spec; assert find_spec('tensorrt')" \
    && HOME=/root /entrypoint.sh python docker/check_models.py && rm -rf /root/.cache /root/.config
