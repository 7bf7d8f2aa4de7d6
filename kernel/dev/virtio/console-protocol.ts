/**
 * Control messages of the virtio console (VIRTIO 1.2, section 5.3.6.2).
 */

/** Feature bits and configuration fields (sections 5.3.3 and 5.3.4). */
export const CONSOLE_FEATURE_SIZE: u64 = 1 << 0;
export const CONSOLE_FEATURE_MULTIPORT: u64 = 1 << 1;
export const CONFIGURATION_COLUMNS: u32 = 0;
export const CONFIGURATION_ROWS: u32 = 2;
export const CONFIGURATION_MAX_PORTS: u32 = 4;

/** Queues of the control channel, and of the ports. */
export const QUEUE_CONTROL_RECEIVE: u32 = 2;
export const QUEUE_CONTROL_TRANSMIT: u32 = 3;

/** Receive queue of port `port`; the transmit queue is the next one (section 5.3.2). */
export function receiveQueueOf(port: u32): u32 {
  return port == 0 ? 0 : port * 2 + 2;
}

@unmanaged
export class ControlMessage {
  port: u32;
  event: u16;
  value: u16;
}

export const CONTROL_MESSAGE_BYTES: u32 = 8;

/** Driver to device: the driver is (1) ready. */
export const EVENT_DEVICE_READY: u16 = 0;
export const EVENT_PORT_ADD: u16 = 1;
export const EVENT_PORT_REMOVE: u16 = 2;
/** Driver to device: the driver uses (1) the port, or cannot (0). */
export const EVENT_PORT_READY: u16 = 3;
export const EVENT_CONSOLE_PORT: u16 = 4;
/** Followed by columns and rows, 16 bits each. */
export const EVENT_RESIZE: u16 = 5;
/** Either way: this side opened (1) or closed (0) the port. */
export const EVENT_PORT_OPEN: u16 = 6;
/** Followed by the name, without a zero. */
export const EVENT_PORT_NAME: u16 = 7;
