/** What a page can offer beside the sentence; a button stands there only where pressing it can help. */
type ErrorButton = "retry" | "sign_in" | "home" | "none";

interface ErrorText {
  /** What happened, in one sentence. */
  sentence: string;
  /** What to do now, in one sentence. */
  action: string;
  button: ErrorButton;
}

const say = (sentence: string, action: string, button: ErrorButton = "none"): ErrorText => ({
  sentence,
  action,
  button,
});

const tellAdministrator = "Tell an administrator; they see what has to be mended.";
const recordAgain = "Record again if you are still in the call.";
const recordLater = "Try to record again in a few minutes.";
const nothingToDo = "There is nothing for you to do.";
const tryAgain = "Try again.";
const tryLater = "Try again in a few minutes.";
const reload = "Reload the page.";
const waitsForFiles = "Wait a little: it goes on by itself.";

/** One sentence and one action for every code that a person can meet; docs/errors.md has the operator's side. */
export const errorTexts: Readonly<Record<string, ErrorText>> = {
  // Of the page itself.
  backend_unreachable: say("The portal cannot be reached.", "Check your connection and try again.", "retry"),
  answer_unreadable: say("This page does not understand the answer it got.", reload, "retry"),
  not_allowed: say("You may not do this.", "Go back to the home page and open it from there.", "home"),
  not_found: say("There is nothing here that you may see.", "Go to the home page.", "home"),
  credentials_wrong: say("E-mail or password is not right.", "Check both and try again."),
  email_unconfirmed: say(
    "This e-mail address is not confirmed yet.",
    "Open the link in the message that we sent you.",
  ),
  too_many_tries: say("That were too many tries in a short time.", "Wait a minute and try again."),
  page_missing: say("A part of the portal could not be loaded.", reload, "retry"),

  // Wishes and calls.
  status_unknown: say("The portal asked for something that the recorder does not know.", reload, "retry"),
  status_not_a_wish: say("The portal asked for something that only the recorder decides.", reload, "retry"),
  fact_column_read_only: say("Facts about a recording are written by the recorder only.", reload, "retry"),
  still_stopping: say("The last recording is still stopping.", "Wait a moment, then start again.", "retry"),
  call_ended: say("This call has ended.", "Start a new call from the home page.", "home"),
  mentorship_not_found: say(
    "There is no active mentorship of yours here.",
    "Go to the home page to see the ones you have.",
    "home",
  ),
  call_not_found: say("There is no such call of yours.", "Go to the home page and join from there.", "home"),
  sign_in_required: say("Your session has ended.", "Sign in again.", "sign_in"),
  user_not_found: say("This sign-in does not exist any more.", "Sign in again.", "sign_in"),
  call_id_missing: say(
    "The address of this call is not complete.",
    "Go to the home page and join from there.",
    "home",
  ),
  transport_missing: say("This portal cannot carry the call in the way it is set up.", tellAdministrator),

  // Recordings.
  recording_not_found: say(
    "There is no such recording of yours.",
    "Go to the home page to see the ones you have.",
    "home",
  ),
  recording_id_missing: say(
    "The address of this recording is not complete.",
    "Go to the home page and open it from there.",
    "home",
  ),
  stopped_before_start: say(
    "The recording was stopped before it began.",
    "Start it again if that was a mistake.",
  ),
  no_recorder_available: say("No recorder was free in time.", recordLater),
  engine_start_failed: say("The recorder did not start.", recordLater),
  engine_stop_unconfirmed: say("The recorder never confirmed that it is gone.", tellAdministrator),
  nothing_recorded: say(
    "Nobody sent picture or sound, so nothing was recorded.",
    "Next time, switch on a camera or a microphone before you record.",
  ),
  files_missing: say(
    "The files of the recording did not arrive.",
    "Look for them again; if they stay away, tell an administrator.",
    "retry",
  ),
  recording_not_there: say(
    "Only a recording that can be played can be kept longer.",
    "Wait until it is ready.",
  ),
  kept_longest: say("This recording cannot be kept that long.", "Choose an earlier date, or download it."),
  retry_refused: say("Trying this recording again cannot help.", "Read above why it failed."),
  recording_never_began: say("No recorder ever recorded anything here.", recordAgain),
  recording_not_failed: say("This recording has not failed.", reload, "retry"),
  recording_expired: say("The files of this recording are deleted.", nothingToDo),
  recording_held: say(
    "An administrator holds this recording, so it cannot be deleted.",
    "Ask an administrator if it should be.",
  ),
  recording_not_over: say("This recording is still under way.", "Stop it first, and wait until it is ready."),
  deletion_not_allowed: say(
    "Recordings of this mentorship may not be deleted by its people.",
    "Ask an administrator if it should be.",
  ),
  deletion_under_way: say("The files of this recording are being deleted.", nothingToDo),
  never_recorded: say("The old portal called this recorded, but it never stored a file.", nothingToDo),
  never_finished: say("The old portal began this recording and never finished it.", nothingToDo),
  failed_in_old_portal: say("This recording failed in the old portal.", nothingToDo),
  old_status_unknown: say("The old portal left a word that nobody knows; there is no file.", nothingToDo),
  unexpected_error: say("Something went wrong on our side.", "Try again in a moment.", "retry"),

  // Linking a sign-in to a person.
  discord_missing: say("This sign-in has no Discord account.", "Sign in with Discord."),
  profile_not_found: say("Nobody here has your Discord account.", "Ask an administrator to enter it."),
  profile_taken: say("Somebody else already signs in as this mentor or mentee.", tellAdministrator),
  profile_ambiguous: say("Several people here have your Discord account.", tellAdministrator),

  // The recorder: Agora's cloud recording.
  engine_unauthorized: say("The recorder does not accept our credentials.", tellAdministrator),
  engine_app_not_enabled: say("Recording is not switched on for our account.", tellAdministrator),
  engine_account_inactive: say("Our account for recording is not active.", tellAdministrator),
  engine_ceiling_reached: say("All recorders are in use.", recordLater),
  engine_rate_limited: say("Too many recordings were started at the same moment.", recordLater),
  engine_route_unknown: say("The recorder's address is wrong.", tellAdministrator),
  engine_request_invalid: say("The recorder did not accept our request.", tellAdministrator),
  engine_settings_invalid: say("The recorder is not set up rightly.", tellAdministrator),
  channel_name_invalid: say("The recorder does not accept the name of this call.", tellAdministrator),
  engine_resource_expired: say("The recorder was asked too late.", recordAgain),
  engine_resource_mismatch: say("The recorder was sent to another call.", recordAgain),
  engine_no_worker: say("No recorder was free.", recordLater),
  engine_internal_error: say("The recorder had an error of its own.", recordLater),
  engine_timeout: say("The recorder took too long to answer.", recordLater),
  engine_reply_pending: say("The recorder has not answered yet.", "Wait a moment."),
  engine_task_exiting: say("The recorder was just leaving.", recordAgain),
  engine_unreachable: say("The recorder could not be reached.", recordLater),
  engine_unavailable: say("The recorder was not available.", recordLater),
  engine_answer_unreadable: say("The recorder answered something that we cannot read.", recordLater),
  engine_answer_unknown: say("The recorder refused for a reason that we do not know.", tellAdministrator),
  engine_refusal_unexplained: say("The recorder refused and did not say why.", tellAdministrator),
  engine_event_malformed: say("The recorder told us something that we cannot read.", tellAdministrator),
  engine_id_taken: say("The recorder mixed this recording up with another.", tellAdministrator),
  engine_token_expired: say("The recorder's pass to the call ran out.", recordAgain),
  engine_token_invalid: say("The recorder's pass to the call was refused.", tellAdministrator),
  engine_storage_refused: say("The recorder could not use the storage.", tellAdministrator),
  engine_upload_failed: say(
    "The recorder could not deliver the files.",
    "Look for them again; if they stay away, tell an administrator.",
    "retry",
  ),
  engine_task_failed: say("The recorder failed.", recordAgain),

  // The storage: Backblaze B2.
  store_settings_invalid: say("The storage is not set up rightly.", tellAdministrator),
  store_key_unknown: say("The storage does not know our key.", tellAdministrator),
  store_signature_refused: say("The storage does not accept our signature.", tellAdministrator),
  store_access_denied: say("Our key may not do this in the storage.", tellAdministrator),
  store_daily_cap_exceeded: say(
    "The storage's limit for today is reached.",
    "Try again tomorrow, or tell an administrator.",
  ),
  store_full: say("The storage is full.", tellAdministrator),
  bucket_missing: say("The place where recordings are stored does not exist.", tellAdministrator),
  object_missing: say(
    "A file of the recording is not in the storage.",
    "Look for it again; if it stays away, tell an administrator.",
    "retry",
  ),
  object_changed: say("A file of the recording changed while it was read.", tryAgain, "retry"),
  upload_missing: say("The storage forgot a file that was being sent.", waitsForFiles),
  upload_parts_refused: say("The storage did not accept a file as it was sent.", waitsForFiles),
  upload_source_failed: say("A file broke off while it was copied.", waitsForFiles),
  store_slow_down: say("The storage is very busy.", tryLater, "retry"),
  store_unavailable: say("The storage is busy or has an error of its own.", tryLater, "retry"),
  store_unreachable: say("The storage cannot be reached.", tryLater, "retry"),
  store_redirected: say("The storage's address is wrong.", tellAdministrator),
  store_request_invalid: say("The storage did not accept our request.", tellAdministrator),
  store_answer_unreadable: say("The storage answered something that we cannot read.", tryLater, "retry"),
  object_key_invalid: say("A file of the recording has a name that cannot be stored.", tellAdministrator),
  object_too_large: say("A file of the recording is larger than expected.", tellAdministrator),
  copy_differs: say("A copied file is not like its source.", waitsForFiles),
  source_store_unknown: say(
    "Files of this recording lie in a storage that is not set up any more.",
    tellAdministrator,
  ),

  // Playing, and the functions that people ask.
  playlist_token_invalid: say(
    "The address of this recording has expired.",
    "Open the recording again.",
    "retry",
  ),
  playlist_unreadable: say("The recording cannot be read right now.", tryLater, "retry"),
  body_not_json: say("The portal asked in a form that was not understood.", reload, "retry"),
  method_not_allowed: say("The portal asked in a way that is not allowed.", reload, "retry"),
  database_unavailable: say("The portal's memory does not answer right now.", tryLater, "retry"),
  auth_unavailable: say("Your sign-in could not be checked right now.", tryLater, "retry"),
  setting_invalid: say("The portal is not set up completely.", tellAdministrator),
};

/** Codes that reach no page, each with who meets it: texts for them would be read by nobody. */
export const codesNobodyReads: Readonly<Record<string, string>> = {
  lease_lost: "functions",
  lane_unknown: "functions",
  argument_missing: "functions",
  argument_invalid: "functions",
  engine_task_not_found: "functions",
  event_unknown: "functions",
  transfer_not_found: "functions",
  job_kind_unknown: "functions",
  deletion_not_begun: "functions",
  audit_over: "functions",
  job_not_found: "administrators",
  job_not_dead: "administrators",
  job_obsolete: "administrators",
  keep_days_invalid: "administrators",
  mentorship_unknown: "administrators",
  policy_unknown: "whoever pushes migrations",
  receiver_unreachable: "the last error of a job",
  receiver_refused: "the last error of a job",
  receiver_redirects: "the last error of a job",
  receiver_gone: "the last error of a job",
  signature_invalid: "Agora",
  event_too_long: "Agora",
  health_secret_required: "monitors",
  webhook_secret_malformed: "functions",
  webhook_message_malformed: "functions",
};

const unexpected: ErrorText = say("Something went wrong on our side.", "Try again in a moment.", "retry");

/** The text of a code; an unknown one is ours to mend. */
export function textOfError(code: string): ErrorText {
  return (Object.hasOwn(errorTexts, code) ? errorTexts[code] : undefined) ?? unexpected;
}
