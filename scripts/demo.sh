# The demonstration: one firmware update from desired property to health gate. To be sourced by scripts/run, which has built
# everything and started the hub over the folders `work` and `data`.

readonly demo_bytes=$((64 * 1024 * 1024))
readonly demo_rate=$((8 * 1024 * 1024))
readonly demo_version=2.0.0

demo_server=

# edgedm as built, against this run's hub.
demo_edgedm() {
  EDGEDM_CONNECTION_STRING_FILE=$data/iothubowner.connection-string EDGEDM_CA_FILE=$data/ca/root.pem \
    "$(program Cli)" "$@"
}

# Ends the file server, which then writes how much it sent. For the EXIT trap, too.
stop_demo() {
  [ -n "$demo_server" ] || return 0
  kill -TERM "$demo_server" 2>/dev/null || true
  wait "$demo_server" 2>/dev/null || true
  demo_server=
}

demo() {
  local started=$SECONDS outcome=0 package=$work/package published=$work/published
  say "makes a package of 64 MiB with a script step, and signs it"
  mkdir -p "$package"
  cp "$repository/deployment/samples/demo/install.sh" "$package/"
  head -c "$demo_bytes" /dev/urandom >"$package/firmware.bin"
  demo_edgedm update create "$package" --steps "$repository/deployment/samples/demo/steps.json" \
    --provider Contoso --name Gateway --version "$demo_version" --manufacturer Contoso --model Gateway \
    --signing-key "$data/keys/signing.key.pem" --sjwk "$data/keys/signing.sjwk" --out "$published"

  say "serves it at 8 MiB/s"
  "$(program Cli)" serve "$published" --rate "$demo_rate" --url-file "$work/url" --count-file "$work/sent" &
  demo_server=$!
  until [ -s "$work/url" ]; do
    kill -0 "$demo_server" 2>/dev/null || die "the file server ended; see above." 1
    sleep 0.1
  done

  say "sets the desired property and follows the job"
  demo_edgedm update deploy "$published" --base-url "$(cat "$work/url")" --watch --timeout 300 || outcome=$?
  stop_demo

  say "the reported group firmwareUpdate"
  demo_edgedm twin show reported.firmwareUpdate
  say "the job's steps"
  demo_edgedm job show "$(demo_edgedm twin show reported.firmwareUpdate.jobId | tr -d '"')"
  say "bytes sent by the server: $(cat "$work/sent")"

  [ "$outcome" -eq 0 ] || die "failed: the job did not end well, see above." 1
  demo_edgedm twin show reported.firmwareUpdate.installedUpdateId | grep -qF "$demo_version" ||
    die "failed: the twin does not report version $demo_version." 1
  say "took $((SECONDS - started)) s"
}

say() {
  printf 'demo: %s\n' "$1"
}
