# Shared by the scripts that build and run EdgeDm. To be sourced; needs bash, set -euo pipefail.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
configuration=Release

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

# Says what is missing, and where it comes from.
require_tools() {
  local version
  command -v dotnet >/dev/null ||
    die "the .NET SDK is missing. Install .NET SDK 10 (https://dotnet.microsoft.com/download) and try again." 2
  if ! version=$(cd "$repository" && dotnet --version 2>&1); then
    die "the .NET SDK that is installed does not fit global.json. Install .NET SDK 10 (https://dotnet.microsoft.com/download). It says:"$'\n'"$version" 2
  fi
  case $version in
    10.*) ;;
    *) die "the .NET SDK is version $version; version 10 is needed (https://dotnet.microsoft.com/download)." 2 ;;
  esac
  [ "$(uname -s)" = Linux ] || die "the dev hub runs modules as Linux processes; on $(uname -s) use a Linux VM or container." 2
  # Programs look for the runtime in fixed places only, and an SDK in a home folder is not one of them.
  if [ -z "${DOTNET_ROOT:-}" ]; then
    local folder
    folder=$(dirname "$(readlink -f "$(command -v dotnet)")")
    [ ! -d "$folder/shared" ] || export DOTNET_ROOT=$folder
  fi
}

# program NAME: path of a tool's program.
program() {
  printf '%s/modules/tools/%s/bin/%s/net10.0/EdgeDm.%s' "$repository" "$1" "$configuration" "$1"
}

# build WHAT: a project, quietly; what it says is shown when it fails. Leaves no build server behind.
build() {
  local log
  log=$(mktemp)
  if ! (
    cd "$repository"
    dotnet build "$1" --configuration "$configuration" --verbosity quiet --tl:off --disable-build-servers -p:SkipFormat=true
  ) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "the build of $1 failed; its output is above." 1
  fi
  rm -f "$log"
}

# The tools and all modules.
build_programs() {
  build scripts/programs.proj
}

# This machine, as .NET names it.
machine_runtime() {
  case $(uname -m) in
    x86_64) echo linux-x64 ;;
    aarch64) echo linux-arm64 ;;
    *) die "no runtime name is known for $(uname -m); give one with --runtime." 2 ;;
  esac
}

# published PROJECT RUNTIME: where publish puts a project unless told otherwise.
published() {
  printf '%s/%s/bin/%s' "$repository" "$1" "$2"
}

# publish PROJECT RUNTIME [FOLDER]: publishes it with the runtime it needs, quietly. The folder is replaced as a whole. Built apart
# from the usual builds, which are for whatever runtime is installed; one publish of a project at a time.
publish() {
  local project=$1 runtime=$2 folder=${3:-$(published "$1" "$2")} work=$repository/$1/obj/publish log
  mkdir -p "$work"
  log=$(mktemp)
  if ! (
    cd "$repository"
    flock 9
    rm -rf "$work/out"
    dotnet publish "$project" --configuration "$configuration" --runtime "$runtime" --self-contained \
      --artifacts-path "$work" --output "$work/out" \
      --verbosity quiet --tl:off --disable-build-servers -p:SkipFormat=true
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    mv "$work/out" "$folder"
  ) 9>"$work/lock" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "the publish of $project for $runtime failed; its output is above." 1
  fi
  rm -f "$log"
}

# install_node_packages FOLDER: what its lock file names, when that is not there yet; says what npm says when it fails.
install_node_packages() {
  local folder=$repository/$1 log
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "node or npm is missing. Install Node.js 20 or later (https://nodejs.org)." >&2
    return 1
  fi
  [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] || return 0
  echo "npm ci in $1" >&2
  log=$(mktemp)
  if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "the packages of $1 could not be installed; what npm says is above." >&2
    return 1
  fi
  rm -f "$log"
}

# Builds edgedm when it is missing or older than its sources.
build_edgedm() {
  local built newer
  built=$(program Cli).dll
  newer=$(find "$repository/modules/tools/Cli" "$repository/modules/shared" -name '*.cs' -not -path '*/obj/*' -newer "$built" -print -quit 2>/dev/null || true)
  if [ ! -e "$built" ] || [ -n "$newer" ]; then
    echo "builds edgedm" >&2
    build modules/tools/Cli
  fi
}

# prepare_data FOLDER: what the simulated host and the developer need beside the hub: a signing key, its root trusted by
# the host, and the host's own file, for processes of this user and for containers with users of their own. What is there
# stays as it is.
prepare_data() {
  local data=$1 host=$1/host/etc/edgedm
  (
    umask 077
    mkdir -p "$data" "$host/roots"
    if [ ! -e "$data/keys/root.jwk.json" ]; then
      "$(program Cli)" update keygen --out "$data/keys" --no-passphrase >/dev/null
    fi
    [ -e "$host/roots/root.jwk.json" ] || cp "$data/keys/root.jwk.json" "$host/roots/root.jwk.json"
    [ -e "$host/host-access.json" ] || cat >"$host/host-access.json" <<JSON
{
  "host": "simulated",
  "simulated": {
    "folder": "../../var/lib/edgedm/host-access/simulated-host",
    "manufacturer": "Contoso",
    "model": "Gateway",
    "rebootExitCode": 129
  },
  "requireNoNetwork": false,
  "trustedRoots": ["roots/root.jwk.json"],
  "callers": { "verbs": [$(id -u), 13601], "inventory": [$(id -u), 13601, 13603] },
  "verbs": {
    "update": { "enabled": true },
    "reboot": { "enabled": true, "perHour": 60 }
  },
  "updates": { "handlers": ["microsoft/script:1", "edgedm/simulator:1"] },
  "health": {
    "deadlineSeconds": 120,
    "stableSeconds": 5,
    "requiredModules": ["FirmwareDownload", "Telemetry"]
  }
}
JSON
    # The data folder is this user's alone; in a container HostAccess is a root without the right to pass over modes.
    chmod -R a+rX "$data/host/etc"
  )
}

# clean_data FOLDER: forgets everything, except which processes a killed hub may have left.
clean_data() {
  local data=$1
  [ -d "$data" ] || return 0
  if [ ! -e "$data/devhub.lock" ] && [ -n "$(ls -A "$data")" ]; then
    die "'$data' does not look like a dev hub's data folder (it has no devhub.lock); it is not cleaned." 2
  fi
  find "$data" -mindepth 1 -maxdepth 1 ! -name launched.json ! -name devhub.lock -exec rm -rf {} +
}

hub_pid=

# start_hub DATA [OPTION...]: starts the dev hub with the deployment, and sets hub_pid. It ends with this script, however
# the script ends: its standard input is a pipe whose other end only this shell holds.
start_hub() {
  local data=$1
  shift
  rm -f "$data/devhub.json"
  exec {hub_output}>&1
  coproc hub_process {
    exec "$(program DevHub)" --deployment "$repository/deployment.template.json" --data "$data" \
      --configuration "$configuration" --stop-on-stdin-close "$@" >&"$hub_output" 2>&1
  }
  hub_pid=$hub_process_PID
  exec {hub_output}>&-
}

# wait_until_ready DATA: until the hub serves and has started the modules. Fails when it ends instead.
wait_until_ready() {
  until [ -e "$1/devhub.json" ]; do
    kill -0 "$hub_pid" 2>/dev/null || return 1
    sleep 0.1
  done
}

# wait_for_hub: until the hub has ended; its exit status.
wait_for_hub() {
  local status=0
  [ -n "$hub_pid" ] || return 0
  while kill -0 "$hub_pid" 2>/dev/null; do
    wait "$hub_pid" && status=0 || status=$?
  done
  return "$status"
}

# stop_hub: asks it to end, and waits; it ends its modules and all that they started. For the EXIT trap.
stop_hub() {
  [ -n "$hub_pid" ] || return 0
  kill -TERM "$hub_pid" 2>/dev/null || true
  wait_for_hub || true
  hub_pid=
}
