import type {
  ConnectionState,
  IAgoraRTC,
  IAgoraRTCClient,
  IAgoraRTCRemoteUser,
  ILocalAudioTrack,
  ILocalVideoTrack,
  IRemoteAudioTrack,
  IRemoteVideoTrack,
  NetworkQuality,
} from "agora-rtc-sdk-ng";

/**
 * What is used of Agora's Web SDK, in its own types and no more, so that a stand-in in tests can be held to all of it. Only
 * load-sdk.ts touches the package itself.
 */
export interface AgoraSdk
  extends Pick<
    IAgoraRTC,
    | "setLogLevel"
    | "checkSystemRequirements"
    | "createCustomAudioTrack"
    | "createCustomVideoTrack"
    | "resumeAudioContext"
  > {
  createClient(config: Parameters<IAgoraRTC["createClient"]>[0]): AgoraClient;
  on(event: "autoplay-failed", listener: () => void): void;
  off(event: "autoplay-failed", listener: () => void): void;
}

export interface AgoraClient
  extends Pick<IAgoraRTCClient, "join" | "leave" | "renewToken" | "remoteUsers" | "connectionState"> {
  publish(track: LocalTrack): Promise<void>;
  unpublish(track: LocalTrack): Promise<void>;
  subscribe(user: RemoteUser, mediaType: AgoraMedia): Promise<IRemoteVideoTrack | IRemoteAudioTrack>;
  on<Name extends keyof AgoraEvents>(event: Name, listener: AgoraEvents[Name]): void;
  removeAllListeners(): void;
}

/** Names and arguments as the package declares them. */
export interface AgoraEvents {
  "connection-state-change": (now: ConnectionState, before: ConnectionState, reason?: string) => void;
  "user-joined": (user: RemoteUser) => void;
  "user-left": (user: RemoteUser, reason: string) => void;
  "user-published": (user: RemoteUser, mediaType: AgoraMedia | "datachannel") => void;
  "user-unpublished": (user: RemoteUser, mediaType: AgoraMedia | "datachannel") => void;
  "user-info-updated": (uid: number | string, message: string) => void;
  "token-privilege-will-expire": () => void;
  "token-privilege-did-expire": () => void;
  "network-quality": (quality: NetworkQuality) => void;
}

export type AgoraMedia = "audio" | "video";
export type LocalTrack = ILocalAudioTrack | ILocalVideoTrack;
export type RemoteUser = IAgoraRTCRemoteUser;
export type { NetworkQuality };
