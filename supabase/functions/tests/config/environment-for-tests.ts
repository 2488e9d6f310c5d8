/** Everything that the functions need, as an operator would set it. */
export const WHOLE = {
  SUPABASE_URL: "https://project.example",
  SUPABASE_SECRET_KEYS: '{"default": "sb_secret_key"}',
  SUPABASE_PUBLISHABLE_KEYS: '{"default": "sb_publishable_key"}',
  AGORA_APP_ID: "970CA35de60c44645bbae8a215061b33",
  AGORA_APP_CERTIFICATE: "5CFd2fd1755d40ecb72977518be15d3b",
  AGORA_CUSTOMER_ID: "customer-7",
  AGORA_CUSTOMER_SECRET: "secret-of-the-customer",
  AGORA_WEBHOOK_SECRET: "secret-of-the-webhook",
  CALL_TRANSPORT: "agora",
  WAKE_UP_SECRET: `whsec_${btoa("the secret of the wake-ups, 32 b")}`,
  BACKBLAZE_B2_ENDPOINT: "https://s3.us-west-004.backblazeb2.com",
  BACKBLAZE_B2_BUCKET_NAME: "recordings-bucket",
  BACKBLAZE_B2_ACCESS_KEY_ID: "key-id",
  BACKBLAZE_B2_SECRET_ACCESS_KEY: "application-key",
  PLAYBACK_BASE_URL: "https://project.example/functions/v1/play-recording",
  PLAYBACK_TOKEN_SECRET: "the secret of the playlist tokens",
} as const satisfies Record<string, string>;
