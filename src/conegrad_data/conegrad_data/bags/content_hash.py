"""Hash of the content of a bag: two bags with one hash hold the same messages in the same files."""

import hashlib
import json
from pathlib import Path

from conegrad_core.system_record.manifest import file_hash
from conegrad_data.bags.bag_files import find_files
from conegrad_data.bags.metadata import read_metadata


def bag_hash(path: Path) -> str:
    """The sha256 over the content of the files of a bag, in their order; names do not count.

    Args:
        path: folder of the bag, or its file.

    Raises:
        BagError: if there is no bag.
        OSError: naming the file, if one cannot be read.
    """
    declared = read_metadata(path) if path.is_dir() else None
    hashes = [file_hash(file) for file in find_files(path, declared, lambda text: None)]
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()
