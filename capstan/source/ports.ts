/**
 * Ports as images and Capstanfiles write them: `80`, `80/tcp`, `53/udp`, `8000-8002/tcp`.
 */
import type { ExposedPort } from "./source.ts";

const PORTS = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/;

/** Whether a text names ports. */
export function isPorts(text: string): boolean {
  const [, first, last = first] = PORTS.exec(text) ?? [];
  return first !== undefined && Number(first) > 0 && Number(last) < 65536;
}

/** The ports that a text names; none if it names none. */
export function parsePorts(text: string): ExposedPort[] {
  const match = PORTS.exec(text);
  if (match === null || !isPorts(text)) return [];
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  const protocol = match[3] === "udp" ? "udp" : "tcp";
  const count = Math.max(0, last - first + 1);
  return Array.from({ length: count }, (_, index) => ({ port: first + index, protocol }));
}
