// The light build comes without types of its own; it is the full one without what recordings do not need.
declare module "hls.js/light" {
  export { default } from "hls.js";
}
