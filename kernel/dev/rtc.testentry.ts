/** Surface of the clock chip's reader for its tests. */
export { readRtcSeconds } from "./rtc";
