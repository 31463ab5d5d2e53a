#!/usr/bin/env bash
# Build the documentation site into out/docs, with Sphinx in an environment of its own (.venv-docs).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

site="$root/.venv-docs"
wanted="$(fingerprint requirements/docs.txt -- "$root")"
if [ "$(cat "$site/.conegrad" 2>/dev/null)" != "$wanted" ]; then
    echo "installing Sphinx into .venv-docs ..."
    rm -rf "$site"
    "${PYTHON:-python3}" -m venv "$site" || fail "python3 -m venv failed: see the lines above"
    install_requirements "$site/bin/python" requirements/docs.txt
    echo "$wanted" >"$site/.conegrad"
fi

# The layout of the repository, so that links between the documents hold. Hard links, because Sphinx
# follows symbolic ones out of its source folder.
source_folder="$root/out/docs-source"
rm -rf "$source_folder"
mkdir -p "$source_folder"
cp -rl ./*.md LICENSE docs examples src docs/site/* "$source_folder/"
"$site/bin/python" -m sphinx --color -q -W --keep-going -j auto \
    -c "$source_folder" -d "$root/out/docs-cache" "$source_folder" "$root/out/docs" "$@" \
    || fail "the documentation has faults: see the lines above"
echo "open out/docs/index.html"
