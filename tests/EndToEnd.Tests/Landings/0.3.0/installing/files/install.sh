#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --action-*) action=${1#--action-} ;;
    --work-folder) shift; work=$1 ;;
    --result-file) shift; result=$1 ;;
  esac
  shift
done
root=$EDGEDM_SIMULATED_ROOT
code=700
case $action in
  is-installed) if cmp -s "$work/firmware.bin" "$root/firmware.bin"; then code=900; else code=901; fi ;;
  download) code=500 ;;
  install) while [ ! -e "$root/go" ]; do sleep 0.1; done; mkdir -p "$root" && cp "$work/firmware.bin" "$root/firmware.bin" && echo installed >>"$root/count"; code=600 ;;
esac
printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"