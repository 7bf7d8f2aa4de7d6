/**
 * /sys/class/net: a directory for each network interface (Linux
 * Documentation/ABI/testing/sysfs-class-net). Linux has links to the devices there; here these are the
 * directories themselves.
 *
 * Neighbours: `sysfs.ts`; the network writes the texts (`net/sys-class-net.ts`).
 */
import { nameOfInterface } from "../procfs/network-text";
import { joinedName, KIND_INTERFACE, ProcTable } from "../procfs/table";

/** Makes the table of the class follow the interfaces, which come but never go. */
export function addInterfaces(net: ProcTable): void {
  net.keepUpdated((table: ProcTable) => {
    let number = table.length;
    let name = nameOfInterface(number);
    while (name.length != 0) {
      addFiles(table.addDirectory(name), name);
      name = nameOfInterface(++number);
    }
  });
}

function addFiles(table: ProcTable, name: string): void {
  addFile(table, name, "address");
  table.addText("addr_assign_type", "0");
  table.addText("addr_len", "6");
  addFile(table, name, "broadcast");
  addFile(table, name, "carrier");
  table.addText("dev_id", "0x0");
  table.addText("dev_port", "0");
  table.addText("dormant", "0");
  if (name != "lo") table.addText("duplex", "unknown");
  addFile(table, name, "flags");
  table.addText("ifalias", "");
  addFile(table, name, "ifindex");
  addFile(table, name, "iflink");
  table.addText("link_mode", "0");
  addFile(table, name, "mtu");
  table.addText("netdev_group", "0");
  addFile(table, name, "operstate");
  if (name != "lo") table.addText("speed", "-1");
  addStatistics(table.addDirectory("statistics"), joinedName(name, "/statistics"));
  table.addText("tx_queue_len", "1000");
  addFile(table, name, "type");
  addFile(table, name, "uevent");
}

function addFile(table: ProcTable, directory: string, name: string): void {
  const path = joinedName(joinedName(directory, "/"), name);
  table.add(name, KIND_INTERFACE, 0o444, path);
}

function addStatistics(table: ProcTable, path: string): void {
  table.addText("collisions", "0");
  addFile(table, path, "multicast");
  addFile(table, path, "rx_bytes");
  table.addText("rx_compressed", "0");
  table.addText("rx_crc_errors", "0");
  addFile(table, path, "rx_dropped");
  table.addText("rx_errors", "0");
  table.addText("rx_fifo_errors", "0");
  table.addText("rx_frame_errors", "0");
  table.addText("rx_length_errors", "0");
  table.addText("rx_missed_errors", "0");
  table.addText("rx_nohandler", "0");
  table.addText("rx_over_errors", "0");
  addFile(table, path, "rx_packets");
  table.addText("tx_aborted_errors", "0");
  addFile(table, path, "tx_bytes");
  table.addText("tx_carrier_errors", "0");
  table.addText("tx_compressed", "0");
  addFile(table, path, "tx_dropped");
  table.addText("tx_errors", "0");
  table.addText("tx_fifo_errors", "0");
  table.addText("tx_heartbeat_errors", "0");
  addFile(table, path, "tx_packets");
  table.addText("tx_window_errors", "0");
}
