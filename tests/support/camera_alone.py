"""Pipeline of a car whose only sensor is a camera, without keypoints."""

CAMERA_ALONE = """
inputs: {image: Image}
stages:
  detector: {module: yolov5_detector, inputs: {image: image}, outputs: {detections: detections}}
  fuser: {module: cone_fusion, inputs: {detections: detections}, outputs: {cones: cones}}
outputs: {cones: cones}
"""
