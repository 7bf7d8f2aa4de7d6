#!/bin/bash
# A PostgreSQL server from nothing to a benchmark over a UNIX socket; $1 is how long it takes, in
# seconds. The server refuses to run as root, so all of it runs as another user.
set -euo pipefail
PATH=/usr/lib/postgresql/15/bin:$PATH
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid=65534 --regid=65534 --clear-groups bash "$0" "$@"
fi
data=$(mktemp -d)
initdb -D "$data" -U owner --auth=trust --no-sync >/tmp/initdb.log || { cat /tmp/initdb.log; exit 1; }
pg_ctl -D "$data" -w -l "$data/log" -o "-k $data -h ''" start || { cat "$data/log"; exit 1; }
pgbench -h "$data" -U owner -i -q postgres 2>&1 | grep -c done
pgbench -h "$data" -U owner -c 4 -j 2 -T "$1" postgres
# Every transaction adds the same amount to an account, a teller, a branch and the history.
psql -h "$data" -U owner -At postgres -c "select
  (select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches),
  (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)"
pg_ctl -D "$data" -m fast stop
rm -r "$data"
