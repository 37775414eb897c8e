#!/bin/sh
# Prints where pdfLaTeX is, for the tests of the LaTeX renderer; installs Debian's small TeX Live where there is none.
set -eu

found() {
  command -v pdflatex && kpsewhich kotex.sty amsmath.sty graphicx.sty >/dev/null
}

found && exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
  echo "installing a small TeX Live for the tests of LaTeX (about a minute)" >&2
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends \
    texlive-latex-base texlive-lang-korean; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
  fi
  rm -f "$log"
  found && exit 0
fi

echo "The tests of LaTeX need pdfLaTeX with kotex, and they could not be installed here." >&2
echo "Install texlive-latex-base and texlive-lang-korean, or TeX Live with its Korean collection." >&2
exit 1
