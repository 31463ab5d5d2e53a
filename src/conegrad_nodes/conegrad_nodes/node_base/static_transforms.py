"""The one optional import of tf2: its message, which the PyPI wheels of ROS lack."""

from typing import Any

try:
    from tf2_msgs.msg import TFMessage
except ImportError:
    TFMessage = None

TF_STATIC: Any = TFMessage  # class of the messages on /tf_static; None where tf2 is missing
