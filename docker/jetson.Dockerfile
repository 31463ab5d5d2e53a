# ConeGrad on a Jetson: torch and TensorRT of the vendor's image, ROS 2 Jazzy from apt. From the root of the
# repository, on the Jetson:
#   docker build -f docker/jetson.Dockerfile -t conegrad:jetson .
#   docker run --rm -it --runtime=nvidia --net=host --ipc=host conegrad:jetson \
#       ros2 launch conegrad_bringup perception.launch.py
# BASE must be Ubuntu 24.04 with Python 3.12 (ROS 2 Jazzy needs them) and fit the JetPack of the board.
ARG BASE=nvcr.io/nvidia/pytorch:25.08-py3-igpu
FROM ${BASE}

SHELL ["/bin/bash", "-c"]
ENV DEBIAN_FRONTEND=noninteractive

ADD https://raw.githubusercontent.com/ros/rosdistro/master/ros.key /usr/share/keyrings/ros.key
RUN apt-get update && apt-get install -y --no-install-recommends gnupg \
    && gpg --dearmor -o /usr/share/keyrings/ros.gpg /usr/share/keyrings/ros.key \
    && echo "deb [signed-by=/usr/share/keyrings/ros.gpg] http://packages.ros.org/ros2/ubuntu noble main" \
        > /etc/apt/sources.list.d/ros2.list \
    && apt-get update && apt-get install -y --no-install-recommends \
        libgl1 libgomp1 libusb-1.0-0 libx11-6 python3-colcon-common-extensions python3-venv \
        ros-jazzy-ros-base ros-jazzy-ackermann-msgs ros-jazzy-launch-ros ros-jazzy-nav-msgs \
        ros-jazzy-sensor-msgs ros-jazzy-tf2-msgs ros-jazzy-tf2-ros ros-jazzy-visualization-msgs \
    && rm -rf /var/lib/apt/lists/*

# torch, torchvision and TensorRT stay the vendor's: only what they lack is installed. The last line
# stops the build where something is missing after all.
WORKDIR /opt/conegrad
RUN pip install --no-cache-dir 'setuptools<80' safetensors rosbags mcap zstandard tqdm jinja2 \
        matplotlib scipy onnx pillow psutil requests pyyaml lark 'empy<4' catkin_pkg \
    && pip install --no-cache-dir --no-deps ultralytics ultralytics-thop \
    && { python -c "import cv2" || pip install --no-cache-dir --no-deps opencv-python-headless; } \
    && pip install --no-cache-dir open3d \
    && python -c "import cv2, open3d, tensorrt, torch, torchvision; from ultralytics.nn import tasks; \
print(torch.__version__, tensorrt.__version__)"

COPY . .
RUN source /opt/ros/jazzy/setup.bash \
    && python3 -m colcon build --merge-install --base-paths src \
        --cmake-args -DPython3_EXECUTABLE="$(command -v python3)"

RUN printf '%s\n' '#!/bin/bash' 'set -e' 'source /opt/ros/jazzy/setup.bash' \
        'source /opt/conegrad/install/setup.bash' 'exec "$@"' > /entrypoint.sh \
    && chmod +x /entrypoint.sh \
    && ln -s /opt/conegrad/install/lib/conegrad_bringup/conegrad /usr/local/bin/conegrad
# docker stop: on SIGTERM ros2 launch ends at once and leaves its nodes behind.
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
CMD ["conegrad", "--help"]
