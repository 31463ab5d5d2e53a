"""Put two pictures of a report side by side for the README.

``python scripts/demo_picture.py out/demo/report/pictures docs/images/demo.png``
"""

import sys
from pathlib import Path

import cv2
import numpy as np

HEIGHT = 620  # [px]


def main() -> None:
    """Read the camera picture and the view from above, write one PNG."""
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    names = ("camera_best_frame.png", "above_best_frame.png")
    pictures = [cv2.imread(str(folder / name)) for name in names]
    scaled = [
        cv2.resize(
            p, (round(p.shape[1] * HEIGHT / p.shape[0]), HEIGHT), interpolation=cv2.INTER_AREA
        )
        for p in pictures
    ]
    cv2.imwrite(str(output), np.hstack(scaled), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
