#!/usr/bin/env bash
# Refuse files above 8 MB: recordings and training runs do not belong into the repository.

failed=0
for file in "$@"; do
    size="$(stat -c %s "$file")"
    if [ "$size" -gt $((8 * 1024 * 1024)) ]; then
        echo "$file has $size bytes, more than 8 MB" >&2
        failed=1
    fi
done
exit "$failed"
