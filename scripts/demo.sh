# The demonstration: one firmware update from desired property to health gate, with three modules killed on the way. To be sourced by
# scripts/run, which has built everything and started the hub over the folders `work` and `data`.

readonly demo_bytes=$((64 * 1024 * 1024))
readonly demo_rate=$((8 * 1024 * 1024))
readonly demo_version=2.0.0
readonly demo_most_percent=115 # of the package; what a killed download fetches again.

demo_server=
demo_watch=
demo_killer=

# Where HostAccess, and only in the demonstration, looks for the write at which it is to die.
demo_failpoints() {
  printf '%s/failpoints' "$work"
}

# To be called before the hub is started: HostAccess dies in the middle of copying the package into its staging folder.
arm_demo() {
  mkdir -p "$(demo_failpoints)"
  # The copy passes this point for each MiB.
  printf 'host.staging.before %d' $((demo_bytes / 1048576 / 2)) >"$(demo_failpoints)/armed"
}

# Ends what the demonstration started; the file server then writes how much it sent. For the EXIT trap, too.
stop_demo() {
  local pid
  for pid in $demo_killer $demo_watch $demo_server; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  demo_killer='' demo_watch='' demo_server=''
}

# Kills what works, by SIGKILL: FirmwareDownload when half is sent, HostAccess while it copies, DeviceManagement while the script
# installs. A line in the file `kills` for each.
kill_on_the_way() {
  local download=$1 management=$2 installing
  installing=$data/host/var/lib/edgedm/host-access/simulated-host/root/opt/demo/firmware.new
  until [ "$(cat "$work/sent")" -ge $((demo_bytes / 2)) ]; do sleep 0.05; done
  kill -KILL "$download"
  killed "FirmwareDownload, when the server had sent $(cat "$work/sent") bytes"
  until [ -e "$(demo_failpoints)/fired" ]; do sleep 0.05; done
  killed "HostAccess, in the middle of its staging copy"
  until [ -e "$installing" ]; do sleep 0.02; done
  kill -KILL "$management"
  killed "DeviceManagement, while the script installed"
}

killed() {
  say "killed $1"
  echo "$1" >>"$work/kills"
}

# module_process MODULE: the id of its process, as the hub knows it.
module_process() {
  "$edgedm" hub status | awk -v module="$1" '$1 == module { print $NF }'
}

demo() {
  local edgedm started=$SECONDS outcome=0 package=$work/package published=$work/published alive job size sent
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
  kill_on_the_way "$(module_process FirmwareDownload)" "$(module_process DeviceManagement)" {alive}>&- &
  demo_killer=$!
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
  size=$(cat "$published"/* | wc -c) sent=$(cat "$work/sent")
  say "bytes sent by the server: $sent, $((sent * 100 / size)) % of the package"

  [ "$outcome" -eq 0 ] || die "failed: the job did not end well, see above." 1
  "$edgedm" twin show reported.firmwareUpdate.installedUpdateId | grep -qF "$demo_version" ||
    die "failed: the twin does not report version $demo_version." 1
  [ "$(wc -l <"$work/kills")" -eq 3 ] || die "failed: not all three modules were killed." 1
  [ $((sent * 100)) -le $((size * demo_most_percent)) ] ||
    die "failed: more than $demo_most_percent % of the package was sent." 1
  say "took $((SECONDS - started)) s"
}

say() {
  printf 'demo: %s\n' "$1"
}
