#!/bin/sh
# The step script of the demonstration's update (microsoft/script:1, apiVersion 1.1): copies a firmware image to its place.
# On the simulated host EDGEDM_SIMULATED_ROOT is the root of the file system; on a real one it is not set.
set -eu

action='' work='' result='' version=''
while [ $# -gt 0 ]; do
  case $1 in
    --action) action=$2; shift ;;
    --work-folder) work=$2; shift ;;
    --result-file) result=$2; shift ;;
    --installed-criteria) version=$2; shift ;;
  esac
  shift
done

finish() {
  printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":"%s"}' "$1" "$2" >"$result"
  exit 0
}

place=${EDGEDM_SIMULATED_ROOT:-}/opt/demo
case $action in
  is-installed)
    if [ "$(cat "$place/version" 2>/dev/null)" = "$version" ]; then
      finish 900 "version $version is in place"
    fi
    finish 901 "version $version is not in place"
    ;;
  download) finish 500 "nothing to fetch beside the files" ;;
  install)
    mkdir -p "$place"
    : >"$place/firmware.new"
    # Piece by piece with pauses, so that a slow disk goes on serving the machine's own work.
    size=$(wc -c <"$work/firmware.bin") piece=0
    while [ $((piece * 4194304)) -lt "$size" ]; do
      dd if="$work/firmware.bin" bs=4194304 skip=$piece count=1 2>/dev/null >>"$place/firmware.new"
      sync "$place/firmware.new"
      piece=$((piece + 1))
      sleep 0.1
    done
    mv "$place/firmware.new" "$place/firmware.bin"
    printf '%s\n' "$version" >"$place/version.new"
    mv "$place/version.new" "$place/version"
    finish 600 "copied $(wc -c <"$place/firmware.bin") bytes"
    ;;
  apply) finish 700 "nothing to switch" ;;
  cancel) finish 800 "stopped" ;;
  *) finish 0 "unknown action '$action'" ;;
esac
