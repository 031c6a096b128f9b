# Docker for the scripts: there, or installed and started where that may be. To be sourced after lib.sh.

docker_log=${TMPDIR:-/tmp}/edgedm-dockerd.log

docker_answers() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# may_install: whether packages of Debian (or what descends from it) can be installed here.
may_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# install_packages PACKAGE...: from the system's own mirror, quietly; says what failed.
install_packages() {
  local log
  log=$(mktemp)
  echo "installs $*" >&2
  if ! {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "$@" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }
  } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# debian_name, debian_sources: this machine's release and where its packages come from, for mmdebstrap.
debian_name() {
  (. /etc/os-release && echo "$VERSION_CODENAME")
}

debian_sources() {
  if [ -e /etc/apt/sources.list.d/debian.sources ]; then echo /etc/apt/sources.list.d/debian.sources; else echo /etc/apt/sources.list; fi
}

# ensure_docker: true when a Docker Engine answers; installs Debian's and starts it where this is root's machine. Otherwise says why not.
ensure_docker() {
  ! docker_answers || return 0
  if [ -n "${DOCKER_HOST:-}" ]; then
    echo "DOCKER_HOST is $DOCKER_HOST, and no Docker Engine answers there." >&2
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "no Docker Engine answers at /var/run/docker.sock. Start it, or let your user use it (group docker)." >&2
    return 1
  fi
  if ! command -v dockerd >/dev/null; then
    if ! may_install || ! install_packages docker.io iptables; then
      echo "the Docker Engine is missing, and could not be installed. On Debian: apt-get install docker.io" >&2
      return 1
    fi
    ! docker_answers || return 0
  fi
  start_dockerd
}

# One at a time: scripts that run side by side find the one that the first of them started. It goes on running.
start_dockerd() {
  (
    flock 9
    ! docker_answers || exit 0
    echo "starts dockerd; its log is $docker_log" >&2
    setsid dockerd >>"$docker_log" 2>&1 </dev/null 9>&- &
    local process=$! waited
    for ((waited = 0; waited < 150; waited++)); do
      ! docker_answers || exit 0
      kill -0 "$process" 2>/dev/null || break
      sleep 0.2
    done
    echo "dockerd does not run here. The end of $docker_log:" >&2
    tail -n 5 "$docker_log" >&2
    exit 1
  ) 9>"${TMPDIR:-/tmp}/edgedm-dockerd.lock"
}

# image_of MODULE PLATFORM: the name that module.json gives its image, as the IoT Edge tools make it.
image_of() {
  local file=$repository/modules/$1/module.json
  printf '%s:%s-%s' "$(json_text "$file" repository)" "$(json_text "$file" version)" "$2"
}

# json_text FILE NAME: the first string of this name in a file of ours.
json_text() {
  sed -nE "s/^ *\"$2\": \"([^\"]*)\",?\$/\1/p" "$1" | head -n 1
}

# busybox_static: path of a busybox in one file; Debian's is installed where it may.
busybox_static() {
  local found
  command -v busybox >/dev/null || { may_install && install_packages busybox-static; } || return 1
  found=$(command -v busybox)
  ! ldd "$found" >/dev/null 2>&1 || return 1
  echo "$found"
}
