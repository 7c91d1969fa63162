#!/bin/sh
# The token that browsers and programs sign in with, and the password of the database, each in a file that Docker hands on.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
new() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
[ -f secrets/token ] || new > secrets/token
if [ ! -f secrets/password ]; then
  new > secrets/password
  printf 'postgresql://tronie:%s@database/tronie' "$(cat secrets/password)" > secrets/database
fi
# The containers' users differ from yours: they may read the files, other people here may not enter the folder.
chmod 0444 secrets/token secrets/password secrets/database
