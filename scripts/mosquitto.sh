# mosquitto and its clients for the scripts: there, or installed where that may be, and never started as a service. To be sourced after docker.sh, which
# knows how to install.

# ensure_mosquitto WHAT_FOR: true when both are there. Otherwise says what will be missing.
ensure_mosquitto() {
  has_mosquitto && return 0
  if ! { may_install && install_without_starting mosquitto mosquitto-clients && has_mosquitto; }; then
    echo "ATTENTION: mosquitto is missing, so $1. Install it: apt-get install mosquitto mosquitto-clients" >&2
    return 1
  fi
}

has_mosquitto() {
  [ -n "$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto)" ] && command -v mosquitto_pub >/dev/null
}

# install_without_starting PACKAGE...: Debian starts a service as soon as it is installed, unless this file says no (deb-systemd-invoke, invoke-rc.d). What
# runs already is left alone.
install_without_starting() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    (install_packages "$@") || status=$?
    return "$status"
  fi
  # As a subshell, so that its trap removes the file however it ends.
  (
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    install_packages "$@"
  )
}
