# The demonstration: one firmware update from desired property to health gate. To be sourced by scripts/run, which has built
# everything and started the hub over the folders `work` and `data`.

readonly demo_bytes=$((64 * 1024 * 1024))
readonly demo_rate=$((8 * 1024 * 1024))
readonly demo_version=2.0.0

demo_server=
demo_watch=

# Ends what the demonstration started; the file server then writes how much it sent. For the EXIT trap, too.
stop_demo() {
  local pid
  for pid in $demo_watch $demo_server; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  demo_watch='' demo_server=''
}

demo() {
  local edgedm started=$SECONDS outcome=0 package=$work/package published=$work/published alive job
  edgedm=$(program Cli)
  export EDGEDM_CONNECTION_STRING_FILE=$data/iothubowner.connection-string EDGEDM_CA_FILE=$data/ca/root.pem

  say "makes a package of 64 MiB with a script step, and signs it"
  mkdir -p "$package"
  cp "$repository/deployment/samples/demo/install.sh" "$package/"
  head -c "$demo_bytes" /dev/urandom >"$package/firmware.bin"
  "$edgedm" update create "$package" --steps "$repository/deployment/samples/demo/steps.json" \
    --provider Contoso --name Gateway --version "$demo_version" --manufacturer Contoso --model Gateway \
    --signing-key "$data/keys/signing.key.pem" --sjwk "$data/keys/signing.sjwk" --out "$published"

  say "serves it at 8 MiB/s"
  # The server ends with this shell, even if that is killed: only this shell holds the other end of its standard input.
  mkfifo "$work/alive"
  exec {alive}<>"$work/alive"
  "$edgedm" serve "$published" --rate "$demo_rate" --url-file "$work/url" --count-file "$work/sent" \
    --stop-on-stdin-close <"$work/alive" {alive}>&- &
  demo_server=$!
  until [ -s "$work/url" ]; do
    kill -0 "$demo_server" 2>/dev/null || die "the file server ended; see above." 1
    sleep 0.1
  done

  say "sets the desired property and follows the job"
  # In the background, so that a signal to this script is heard at once.
  "$edgedm" update deploy "$published" --base-url "$(cat "$work/url")" --watch --timeout 300 --away 30 {alive}>&- &
  demo_watch=$!
  wait "$demo_watch" || outcome=$?
  demo_watch=
  stop_demo

  say "the reported group firmwareUpdate"
  "$edgedm" twin show reported.firmwareUpdate
  say "the job's steps"
  job=$("$edgedm" twin show reported.firmwareUpdate.jobId)
  "$edgedm" job show "${job//\"/}"
  say "bytes sent by the server: $(cat "$work/sent")"

  [ "$outcome" -eq 0 ] || die "failed: the job did not end well, see above." 1
  "$edgedm" twin show reported.firmwareUpdate.installedUpdateId | grep -qF "$demo_version" ||
    die "failed: the twin does not report version $demo_version." 1
  say "took $((SECONDS - started)) s"
}

say() {
  printf 'demo: %s\n' "$1"
}
