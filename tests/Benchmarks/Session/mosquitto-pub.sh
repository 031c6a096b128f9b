#!/usr/bin/env bash
# mosquitto_pub as a client of the bench "session". Each line of JSON on standard input names a "file" of lines to publish, each of them a message; the answer
# on standard output is {"result":{"seconds":...}}. Arguments: those of mosquitto_pub beside -l.
set -u
while read -r line; do
  if [[ ! $line =~ \"file\":\"([^\"]+)\" ]]; then
    echo '{"result":null}'
    continue
  fi
  begin=$EPOCHREALTIME
  if mosquitto_pub "$@" -l <"${BASH_REMATCH[1]}" >&2; then
    end=$EPOCHREALTIME
    microseconds=$((${end/./} - ${begin/./}))
    printf '{"result":{"seconds":%d.%06d}}\n' $((microseconds / 1000000)) $((microseconds % 1000000))
  else
    echo '{"error":"mosquitto_pub failed"}'
  fi
done
