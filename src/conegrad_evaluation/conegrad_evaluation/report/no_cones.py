"""Why a drive has no cones."""

import shlex

from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation


def no_cones_reason(result: DriveEvaluation) -> str:
    """What speaks for the cause, in sentences; empty if there are cones."""
    drive, info = result.drive, result.drive.info
    if any(len(frame.cones.positions) for frame in drive.frames):
        return ""
    count = len(drive.frames)
    if not count:
        return f"The topic {info.roles['cones']} has no message that can be read."
    found = [f"None of the {count} messages on {info.roles['cones']} holds a cone."]
    missing = [
        name
        for role, name in (("image", "images"), ("scan", "scans or clouds"))
        if role not in info.roles and not (role == "scan" and "points" in info.roles)
    ]
    if missing:
        found.append(f"The bag has no {' and no '.join(missing)}.")
    with_image = sum(frame.camera_ns is not None for frame in drive.frames)
    with_scan = sum(frame.lidar_ns is not None for frame in drive.frames)
    found.append(f"An image took part in {with_image} of them, a scan in {with_scan}.")
    if result.evaluation.frames:
        true = result.evaluation.total.counts.true
        found.append(
            f"{true} true cones were in range and view, so the perception missed all of them."
            if true
            else "The truth has no cone in range and view either: there was nothing to find."
        )
    found.append(f"'conegrad info {shlex.quote(info.path)}' says what perception misses in a bag.")
    return " ".join(found)
