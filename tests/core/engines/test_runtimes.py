"""What OpenVINO leaves behind in a process."""

import subprocess
import sys

DROP_IN_ANOTHER_THREAD = """
import os, signal, threading
import numpy as np
import openvino
from openvino import opset13
from conegrad_core.engines.runtimes import openvino_request

signal.signal(signal.SIGUSR1, lambda number, frame: print("handled", flush=True))
entry = opset13.parameter([1, 3], np.float32)
requests = [openvino_request(openvino.Model([opset13.relu(entry)], [entry], "m"), threads=1)]
thread = threading.Thread(target=requests.clear)
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
print("goes on", flush=True)
"""


def test_a_signal_is_handled_after_another_thread_dropped_the_last_model():
    command = [sys.executable, "-c", DROP_IN_ANOTHER_THREAD]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stdout) == (0, "handled\ngoes on\n")
