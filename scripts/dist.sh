#!/usr/bin/env bash
# Build the packages as sdist and wheel: pip installs them without a clone and without ROS.
# scripts/dist.sh [FOLDER, by default dist] [options of uv build, such as --wheel]

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
output="$(realpath -m "${1:-dist}")"
shift $(($# > 0))
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT

git ls-files -z --cached --others --exclude-standard src launch config | xargs -0 cp -P --parents -t "$stage"
# Without ament nothing else tells where the definitions of the messages are.
mkdir -p "$stage/src/conegrad_data/conegrad_data/interfaces/msg"
cp src/conegrad_msgs/msg/*.msg "$stage/src/conegrad_data/conegrad_data/interfaces/msg"
for package in core data nodes evaluation training simulation bringup; do
    folder="$stage/src/conegrad_$package"
    cp LICENSE "$folder"
    "$venv/bin/python" -m uv build --quiet --no-build-isolation --python "$venv/bin/python" \
        --out-dir "$output" "$@" "$folder" || fail "conegrad_$package cannot be built"
done
rm -f "$output/.gitignore"
echo "built $(find "$output" -name '*.whl' | wc -l) wheels in $output"
