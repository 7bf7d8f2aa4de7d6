#!/bin/sh
# Run by QEMU with the name of the tap device that it has made, which is gone with it: makes the device
# a port of the bridge. qemu-arguments.ts names this script, qemu.ts sets the variable.
exec ip link set dev "$1" master "$CAPSTAN_BRIDGE" up
