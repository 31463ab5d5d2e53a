"""Gazebo's names of the topics of the car and of the world, as config/gazebo_bridge.yaml has them.

One world holds one car, so the names need no model in them.
"""

IMAGE = "/car/image_raw"
CAMERA_INFO = "/car/camera_info"
SCAN = "/car/scan"
CLOUD = "/car/cloud"  # the sensor appends /points to it
POINTS = f"{CLOUD}/points"
IMU = "/car/imu"
ODOMETRY = "/car/odom"
TRANSFORM = "/car/tf"
JOINT_STATES = "/car/joint_states"
DRIVE = "/car/cmd_vel"
TRUE_POSE = "/truth/odom"
TRUE_TRANSFORM = "/truth/tf"  # not bridged: base_link has a parent from the odometry
TRUE_CONES = "/truth/cone_poses"
CLOCK = "/clock"
