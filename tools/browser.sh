#!/bin/sh
# Prints where Chromium is, for the tests of the page; installs Debian's where there is none.
# CHROMIUM names another one.
set -eu

found() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"
  do
    if [ -n "$name" ] && command -v "$name"; then return 0; fi
  done
  return 1
}

found && exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
  echo "installing Chromium for the tests of the page" >&2
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends \
    chromium fonts-dejavu-core fonts-nanum; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
  fi
  rm -f "$log"
  found && exit 0
fi

echo "The tests of the page need Chromium, and it could not be installed here." >&2
echo "Install Chromium or Google Chrome, or say where one is: CHROMIUM=/path/to/chromium make test" >&2
exit 1
