#!/bin/sh
# Print the path of a Python that can make the virtual environment, or say in one line what to install.
# PYTHON=/path/to/python names the one to use.
old= bare=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
  path=$(command -v "$candidate") || continue
  if ! "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then old=$path; continue; fi
  if ! "$path" -c 'import ensurepip, venv' 2> /dev/null; then bare=$path; continue; fi
  echo "$path"
  exit 0
done
if [ -n "$bare" ]; then
  version=$("$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$bare cannot make virtual environments: install them, on Debian with 'apt-get install python$version-venv'." >&2
elif [ -n "$old" ]; then
  echo "Python 3.11 or later is needed, and $old is older: install one, or name one with 'make PYTHON=/path/to/python'." >&2
else
  echo "No Python found: install Python 3.11 or later, or name one with 'make PYTHON=/path/to/python'." >&2
fi
exit 1
