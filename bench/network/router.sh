#!/bin/sh
# In a Linux guest with two cards: frames cross from one to the other later, or not at all. netem(8)
# works on what leaves a card, so that both directions get the same.
# Usage: router.sh DELAY LOSS, e.g. 25ms 1%
ip link add bridge type bridge
for card in eth0 eth1; do
  ip address flush dev $card
  # Segments stay apart, as a loss is to hit one.
  ip link set $card gro_max_size 1 || exit
  tc qdisc add dev $card root netem delay "$1" loss "$2" limit 10000 || exit
  ip link set $card master bridge up
done
ip link set bridge up
tc qdisc show
echo sleeping
exec cat
