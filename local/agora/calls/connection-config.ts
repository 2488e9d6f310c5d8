import { type PeerConfig, RTCRtpCodecParameters } from "werift";

/** Payload types of the two codecs there are, as both ends number them. */
export const payloadTypes = { opus: 111, h264: 102 } as const;

/** A connection on this machine alone, with H.264 and Opus: for both ends of it that are not a browser. */
export function loopbackConfig(): Partial<PeerConfig> {
  return {
    codecs: {
      audio: [
        new RTCRtpCodecParameters({
          mimeType: "audio/opus",
          clockRate: 48_000,
          channels: 2,
          payloadType: payloadTypes.opus,
          parameters: "minptime=10;useinbandfec=1",
        }),
      ],
      video: [
        new RTCRtpCodecParameters({
          mimeType: "video/H264",
          clockRate: 90_000,
          payloadType: payloadTypes.h264,
          // Without transport-cc: this library sends that feedback so rarely that browsers fall to 65 kbit/s.
          rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "goog-remb" }],
          parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        }),
      ],
    },
    headerExtensions: { audio: [], video: [] },
    iceServers: [],
    // Without both families the library looks at no interface; 127.0.0.1 is added, and the socket bound to it.
    iceUseIpv4: false,
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ["127.0.0.1"],
    iceInterfaceAddresses: { udp4: "127.0.0.1" },
    iceUseTcp: false,
    bundlePolicy: "max-bundle",
  };
}
