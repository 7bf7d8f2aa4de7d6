/** Ports of appliances. */
import { heapAllocate, heapFree } from "../mm/heap";
import { ENOMEM } from "../lib/errno";
import { anyAddress, writeAddress } from "../net/sockaddr";
import { ADDRESS_BYTES, AF_INET6, Socket } from "../net/socket";

/** Binds an AF_INET6 socket to a port of all addresses, IPv4 included. @returns 0 or an error */
export function bindToPort(socket: Socket, port: u16): i64 {
  const address = heapAllocate(ADDRESS_BYTES);
  if (address == 0) return -ENOMEM;
  const length = writeAddress(address, AF_INET6, anyAddress(), port, 0);
  const result = socket.bind(address, <usize>length);
  heapFree(address);
  return result;
}
