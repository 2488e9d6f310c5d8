// Written by `npm run types` from the migrations. Not to be edited: a test compares it with the database.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      instructors: {
        Row: {
          discord_id: string | null;
          id: string;
          name: string | null;
          user_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          discord_id?: string | null;
          id?: string;
          name?: string | null;
          user_id?: string | null;
        };
        Update: {
          discord_id?: string | null;
          id?: string;
          name?: string | null;
          user_id?: string | null;
        };
        Relationships: [];
      };
      mentees: {
        Row: {
          discord_id: string | null;
          discord_username: string | null;
          display_name: string | null;
          email: string | null;
          id: string;
          user_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          discord_id?: string | null;
          discord_username?: string | null;
          display_name?: string | null;
          email?: string | null;
          id?: string;
          user_id?: string | null;
        };
        Update: {
          discord_id?: string | null;
          discord_username?: string | null;
          display_name?: string | null;
          email?: string | null;
          id?: string;
          user_id?: string | null;
        };
        Relationships: [];
      };
      mentorships: {
        Row: {
          end_reason: string | null;
          ended_at: string | null;
          id: string;
          instructor_id: string | null;
          last_session_date: string | null;
          mentee_id: string | null;
          status: string | null;
        };
        ComputedFields: never;
        Insert: {
          end_reason?: string | null;
          ended_at?: string | null;
          id?: string;
          instructor_id?: string | null;
          last_session_date?: string | null;
          mentee_id?: string | null;
          status?: string | null;
        };
        Update: {
          end_reason?: string | null;
          ended_at?: string | null;
          id?: string;
          instructor_id?: string | null;
          last_session_date?: string | null;
          mentee_id?: string | null;
          status?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "mentorships_instructor_id_fkey";
            columns: ["instructor_id"];
            isOneToOne: false;
            referencedRelation: "instructors";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "mentorships_mentee_id_fkey";
            columns: ["mentee_id"];
            isOneToOne: false;
            referencedRelation: "mentees";
            referencedColumns: ["id"];
          },
        ];
      };
      notifications: {
        Row: {
          created_at: string;
          id: string;
          kind: string;
          payload: NonNullable<Json>;
          read_at: string | null;
          recording_id: string;
          user_id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          id?: string;
          kind: string;
          payload?: NonNullable<Json>;
          read_at?: string | null;
          recording_id: string;
          user_id: string;
        };
        Update: {
          created_at?: string;
          id?: string;
          kind?: string;
          payload?: NonNullable<Json>;
          read_at?: string | null;
          recording_id?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "notifications_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
      playback_events: {
        Row: {
          detail: NonNullable<Json>;
          happened_at: string;
          id: number;
          kind: string;
          position_ms: number;
          recording_id: string;
          user_id: string;
          viewing_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          detail?: NonNullable<Json>;
          happened_at?: string;
          id?: never;
          kind: string;
          position_ms?: number;
          recording_id: string;
          user_id?: string;
          viewing_id?: string | null;
        };
        Update: {
          detail?: NonNullable<Json>;
          happened_at?: string;
          id?: never;
          kind?: string;
          position_ms?: number;
          recording_id?: string;
          user_id?: string;
          viewing_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "playback_events_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
      playback_positions: {
        Row: {
          position_ms: number;
          recording_id: string;
          updated_at: string;
          user_id: string;
        };
        ComputedFields: never;
        Insert: {
          position_ms: number;
          recording_id: string;
          updated_at?: string;
          user_id?: string;
        };
        Update: {
          position_ms?: number;
          recording_id?: string;
          updated_at?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "playback_positions_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
      recording_events: {
        Row: {
          actor: string;
          detail: NonNullable<Json>;
          event: string;
          from_status: string | null;
          happened_at: string;
          id: number;
          recording_id: string;
          to_status: string | null;
        };
        ComputedFields: never;
        Insert: {
          actor: string;
          detail?: NonNullable<Json>;
          event: string;
          from_status?: string | null;
          happened_at?: string;
          id?: never;
          recording_id: string;
          to_status?: string | null;
        };
        Update: {
          actor?: string;
          detail?: NonNullable<Json>;
          event?: string;
          from_status?: string | null;
          happened_at?: string;
          id?: never;
          recording_id?: string;
          to_status?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "recording_events_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
      recording_files: {
        Row: {
          attempt: number;
          content_type: string;
          created_at: string;
          deleted_at: string | null;
          duration_ms: number | null;
          id: string;
          kind: string;
          object_key: string;
          recording_id: string;
          segment_count: number | null;
          size_bytes: number;
          verified_at: string;
        };
        ComputedFields: never;
        Insert: {
          attempt: number;
          content_type: string;
          created_at?: string;
          deleted_at?: string | null;
          duration_ms?: number | null;
          id?: string;
          kind: string;
          object_key: string;
          recording_id: string;
          segment_count?: number | null;
          size_bytes: number;
          verified_at: string;
        };
        Update: {
          attempt?: number;
          content_type?: string;
          created_at?: string;
          deleted_at?: string | null;
          duration_ms?: number | null;
          id?: string;
          kind?: string;
          object_key?: string;
          recording_id?: string;
          segment_count?: number | null;
          size_bytes?: number;
          verified_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "recording_files_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
      recordings: {
        Row: {
          attempt: number;
          call_id: string | null;
          channel: string;
          correlation_id: string;
          created_at: string;
          deadline_at: string | null;
          deletion_began_at: string | null;
          duration_ms: number | null;
          error: Json | null;
          expires_at: string | null;
          expiry_told_for: string | null;
          finished_at: string | null;
          gaps: NonNullable<Json>;
          held_at: string | null;
          hold_reason: string | null;
          id: string;
          instructor_id: string | null;
          is_partial: boolean;
          layout: string;
          mentee_id: string | null;
          mentorship_id: string | null;
          phase: string | null;
          progress: Json | null;
          quality: string;
          queue_place: number | null;
          requested_at: string;
          requested_by: string | null;
          size_bytes: number | null;
          started_at: string | null;
          status: string;
          stop_reason: string | null;
          stop_requested_at: string | null;
          stopped_at: string | null;
          stored_bytes: number | null;
          updated_at: string;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          attempt?: number;
          call_id?: string | null;
          channel: string;
          correlation_id?: string;
          created_at?: string;
          deadline_at?: string | null;
          deletion_began_at?: string | null;
          duration_ms?: number | null;
          error?: Json | null;
          expires_at?: string | null;
          expiry_told_for?: string | null;
          finished_at?: string | null;
          gaps?: NonNullable<Json>;
          held_at?: string | null;
          hold_reason?: string | null;
          id?: string;
          instructor_id?: string | null;
          is_partial?: boolean;
          layout: string;
          mentee_id?: string | null;
          mentorship_id?: string | null;
          phase?: string | null;
          progress?: Json | null;
          quality: string;
          queue_place?: number | null;
          requested_at?: string;
          requested_by?: string | null;
          size_bytes?: number | null;
          started_at?: string | null;
          status: string;
          stop_reason?: string | null;
          stop_requested_at?: string | null;
          stopped_at?: string | null;
          stored_bytes?: number | null;
          updated_at?: string;
          version?: number;
        };
        Update: {
          attempt?: number;
          call_id?: string | null;
          channel?: string;
          correlation_id?: string;
          created_at?: string;
          deadline_at?: string | null;
          deletion_began_at?: string | null;
          duration_ms?: number | null;
          error?: Json | null;
          expires_at?: string | null;
          expiry_told_for?: string | null;
          finished_at?: string | null;
          gaps?: NonNullable<Json>;
          held_at?: string | null;
          hold_reason?: string | null;
          id?: string;
          instructor_id?: string | null;
          is_partial?: boolean;
          layout?: string;
          mentee_id?: string | null;
          mentorship_id?: string | null;
          phase?: string | null;
          progress?: Json | null;
          quality?: string;
          queue_place?: number | null;
          requested_at?: string;
          requested_by?: string | null;
          size_bytes?: number | null;
          started_at?: string | null;
          status?: string;
          stop_reason?: string | null;
          stop_requested_at?: string | null;
          stopped_at?: string | null;
          stored_bytes?: number | null;
          updated_at?: string;
          version?: number;
        };
        Relationships: [
          {
            foreignKeyName: "recordings_call_id_fkey";
            columns: ["call_id"];
            isOneToOne: false;
            referencedRelation: "video_calls";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "recordings_instructor_id_fkey";
            columns: ["instructor_id"];
            isOneToOne: false;
            referencedRelation: "instructors";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "recordings_mentee_id_fkey";
            columns: ["mentee_id"];
            isOneToOne: false;
            referencedRelation: "mentees";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "recordings_mentorship_id_fkey";
            columns: ["mentorship_id"];
            isOneToOne: false;
            referencedRelation: "mentorships";
            referencedColumns: ["id"];
          },
        ];
      };
      video_calls: {
        Row: {
          channel: string;
          created_at: string;
          duration_seconds: number | null;
          end_time: string | null;
          id: string;
          instructor_id: string | null;
          mentee_id: string | null;
          mentorship_id: string;
          participants: Json | null;
          recording_duration_seconds: number | null;
          recording_error: Json | null;
          recording_id: string | null;
          recording_key: string | null;
          recording_layout: string;
          recording_metadata: Json | null;
          recording_phase: string | null;
          recording_progress: Json | null;
          recording_quality: string;
          recording_queue_place: number | null;
          recording_size: number | null;
          recording_status: string | null;
          recording_url: string | null;
          recording_version: number;
          start_time: string;
          status: string;
          updated_at: string;
        };
        ComputedFields: never;
        Insert: {
          channel: string;
          created_at?: string;
          duration_seconds?: number | null;
          end_time?: string | null;
          id?: string;
          instructor_id?: string | null;
          mentee_id?: string | null;
          mentorship_id: string;
          participants?: Json | null;
          recording_duration_seconds?: number | null;
          recording_error?: Json | null;
          recording_id?: string | null;
          recording_key?: string | null;
          recording_layout?: string;
          recording_metadata?: Json | null;
          recording_phase?: string | null;
          recording_progress?: Json | null;
          recording_quality?: string;
          recording_queue_place?: number | null;
          recording_size?: number | null;
          recording_status?: string | null;
          recording_url?: string | null;
          recording_version?: number;
          start_time?: string;
          status?: string;
          updated_at?: string;
        };
        Update: {
          channel?: string;
          created_at?: string;
          duration_seconds?: number | null;
          end_time?: string | null;
          id?: string;
          instructor_id?: string | null;
          mentee_id?: string | null;
          mentorship_id?: string;
          participants?: Json | null;
          recording_duration_seconds?: number | null;
          recording_error?: Json | null;
          recording_id?: string | null;
          recording_key?: string | null;
          recording_layout?: string;
          recording_metadata?: Json | null;
          recording_phase?: string | null;
          recording_progress?: Json | null;
          recording_quality?: string;
          recording_queue_place?: number | null;
          recording_size?: number | null;
          recording_status?: string | null;
          recording_url?: string | null;
          recording_version?: number;
          start_time?: string;
          status?: string;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "video_calls_instructor_id_fkey";
            columns: ["instructor_id"];
            isOneToOne: false;
            referencedRelation: "instructors";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "video_calls_mentee_id_fkey";
            columns: ["mentee_id"];
            isOneToOne: false;
            referencedRelation: "mentees";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "video_calls_mentorship_id_fkey";
            columns: ["mentorship_id"];
            isOneToOne: false;
            referencedRelation: "mentorships";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "video_calls_recording_id_fkey";
            columns: ["recording_id"];
            isOneToOne: false;
            referencedRelation: "recordings";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      delete_recording: {
        Args: { recording_id: string };
        Returns: {
          attempt: number;
          call_id: string | null;
          channel: string;
          correlation_id: string;
          created_at: string;
          deadline_at: string | null;
          deletion_began_at: string | null;
          duration_ms: number | null;
          error: Json | null;
          expires_at: string | null;
          expiry_told_for: string | null;
          finished_at: string | null;
          gaps: NonNullable<Json>;
          held_at: string | null;
          hold_reason: string | null;
          id: string;
          instructor_id: string | null;
          is_partial: boolean;
          layout: string;
          mentee_id: string | null;
          mentorship_id: string | null;
          phase: string | null;
          progress: Json | null;
          quality: string;
          queue_place: number | null;
          requested_at: string;
          requested_by: string | null;
          size_bytes: number | null;
          started_at: string | null;
          status: string;
          stop_reason: string | null;
          stop_requested_at: string | null;
          stopped_at: string | null;
          stored_bytes: number | null;
          updated_at: string;
          version: number;
        };
        SetofOptions: {
          from: "*";
          to: "recordings";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      end_call: {
        Args: { call_id: string };
        Returns: {
          channel: string;
          created_at: string;
          duration_seconds: number | null;
          end_time: string | null;
          id: string;
          instructor_id: string | null;
          mentee_id: string | null;
          mentorship_id: string;
          participants: Json | null;
          recording_duration_seconds: number | null;
          recording_error: Json | null;
          recording_id: string | null;
          recording_key: string | null;
          recording_layout: string;
          recording_metadata: Json | null;
          recording_phase: string | null;
          recording_progress: Json | null;
          recording_quality: string;
          recording_queue_place: number | null;
          recording_size: number | null;
          recording_status: string | null;
          recording_url: string | null;
          recording_version: number;
          start_time: string;
          status: string;
          updated_at: string;
        };
        SetofOptions: {
          from: "*";
          to: "video_calls";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      is_portal_administrator: { Args: Record<PropertyKey, never>; Returns: boolean };
      join_call: {
        Args: { mentorship_id: string };
        Returns: {
          channel: string;
          created_at: string;
          duration_seconds: number | null;
          end_time: string | null;
          id: string;
          instructor_id: string | null;
          mentee_id: string | null;
          mentorship_id: string;
          participants: Json | null;
          recording_duration_seconds: number | null;
          recording_error: Json | null;
          recording_id: string | null;
          recording_key: string | null;
          recording_layout: string;
          recording_metadata: Json | null;
          recording_phase: string | null;
          recording_progress: Json | null;
          recording_quality: string;
          recording_queue_place: number | null;
          recording_size: number | null;
          recording_status: string | null;
          recording_url: string | null;
          recording_version: number;
          start_time: string;
          status: string;
          updated_at: string;
        };
        SetofOptions: {
          from: "*";
          to: "video_calls";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      keep_recording_longer: {
        Args: { keep_until?: string; recording_id: string };
        Returns: {
          attempt: number;
          call_id: string | null;
          channel: string;
          correlation_id: string;
          created_at: string;
          deadline_at: string | null;
          deletion_began_at: string | null;
          duration_ms: number | null;
          error: Json | null;
          expires_at: string | null;
          expiry_told_for: string | null;
          finished_at: string | null;
          gaps: NonNullable<Json>;
          held_at: string | null;
          hold_reason: string | null;
          id: string;
          instructor_id: string | null;
          is_partial: boolean;
          layout: string;
          mentee_id: string | null;
          mentorship_id: string | null;
          phase: string | null;
          progress: Json | null;
          quality: string;
          queue_place: number | null;
          requested_at: string;
          requested_by: string | null;
          size_bytes: number | null;
          started_at: string | null;
          status: string;
          stop_reason: string | null;
          stop_requested_at: string | null;
          stopped_at: string | null;
          stored_bytes: number | null;
          updated_at: string;
          version: number;
        };
        SetofOptions: {
          from: "*";
          to: "recordings";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      link_my_profile: { Args: Record<PropertyKey, never>; Returns: Json };
      list_alerts: {
        Args: Record<PropertyKey, never>;
        Returns: {
          explanation: string;
          fired_at: string;
          id: string;
          message: string;
          resolved_at: string;
          rule: string;
          runbook: string;
          severity: string;
          state: string;
        }[];
      };
      list_my_recordings: {
        Args: { before?: string; newest?: number };
        Returns: {
          attempt: number;
          call_id: string | null;
          channel: string;
          correlation_id: string;
          created_at: string;
          deadline_at: string | null;
          deletion_began_at: string | null;
          duration_ms: number | null;
          error: Json | null;
          expires_at: string | null;
          expiry_told_for: string | null;
          finished_at: string | null;
          gaps: NonNullable<Json>;
          held_at: string | null;
          hold_reason: string | null;
          id: string;
          instructor_id: string | null;
          is_partial: boolean;
          layout: string;
          mentee_id: string | null;
          mentorship_id: string | null;
          phase: string | null;
          progress: Json | null;
          quality: string;
          queue_place: number | null;
          requested_at: string;
          requested_by: string | null;
          size_bytes: number | null;
          started_at: string | null;
          status: string;
          stop_reason: string | null;
          stop_requested_at: string | null;
          stopped_at: string | null;
          stored_bytes: number | null;
          updated_at: string;
          version: number;
        }[];
        SetofOptions: {
          from: "*";
          to: "recordings";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      list_recordings: {
        Args: {
          before_at?: string;
          before_id?: string;
          is_partial?: boolean;
          mentorship_id: string;
          newest?: number;
          qualities?: string[];
          search?: string;
          since?: string;
          statuses?: string[];
          time_zone?: string;
          until?: string;
        };
        Returns: Json;
      };
      my_profile: { Args: Record<PropertyKey, never>; Returns: Json };
      retry_recording: { Args: { recording_id: string }; Returns: string };
      show_recording: { Args: { recording_id: string }; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
  recorder_api: {
    Tables: {
      [_ in never]: never;
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      admit_caller: { Args: { p_call_id: string; p_user_id: string }; Returns: Json };
      audit_facts: {
        Args: { p_after: string; p_ids: string[]; p_limit: number; p_upto: string };
        Returns: Json;
      };
      await_files: { Args: { p_files?: Json; p_recording_id: string; p_totals?: Json }; Returns: boolean };
      begin_attempt: { Args: { p_recording_id: string; p_token_expires_at: string }; Returns: Json };
      begin_audit: { Args: Record<PropertyKey, never>; Returns: Json };
      begin_deletion: {
        Args: {
          p_bytes: number;
          p_objects: number;
          p_recording_id: string;
          p_uploads: number;
          p_versions: number;
        };
        Returns: string;
      };
      begin_upload: { Args: { p_transfer_id: string; p_upload_id: string }; Returns: string };
      complete_transfers: { Args: { p_completed: Json; p_recording_id: string }; Returns: number };
      count_webhook_verdicts: { Args: { p_counts: Json }; Returns: number };
      fail_transfer: { Args: { p_error: Json; p_transfer_id: string }; Returns: boolean };
      files_failed: { Args: { p_event: string; p_facts?: Json; p_recording_id: string }; Returns: boolean };
      finish_audit: { Args: { p_audit_id: string }; Returns: number };
      finish_deletion: {
        Args: { p_bytes: number; p_recording_id: string; p_versions: number };
        Returns: boolean;
      };
      lanes_to_wake: { Args: Record<PropertyKey, never>; Returns: Json };
      leave: { Args: { p_drain: string; p_finished?: Json; p_lane: string }; Returns: boolean };
      mark_applied: { Args: { p_notice_ids: string[] }; Returns: number };
      mark_repaired: { Args: { p_finding_id: string }; Returns: boolean };
      next_transfers: { Args: { p_limit: number; p_recording_id: string }; Returns: Json };
      note_sources_deleted: { Args: { p_ids: string[] }; Returns: number };
      note_unverified_event: { Args: Record<PropertyKey, never>; Returns: boolean };
      open_uploads: { Args: Record<PropertyKey, never>; Returns: Json };
      plan_transfers: {
        Args: { p_objects: Json; p_recording_id: string; p_source_store: string };
        Returns: Json;
      };
      playback_of: { Args: { p_recording_id: string; p_user_id: string }; Returns: Json };
      publish: { Args: { p_files: Json; p_recording_id: string; p_totals: Json }; Returns: boolean };
      read_health: { Args: Record<PropertyKey, never>; Returns: Json };
      read_metrics: { Args: Record<PropertyKey, never>; Returns: Json };
      receive_event: {
        Args: {
          p_channel: string;
          p_event: Json;
          p_event_type: number;
          p_is_sign_of_life: boolean;
          p_notice_id: string;
          p_sid: string;
          p_uid: string;
        };
        Returns: Json;
      };
      record_parts: { Args: { p_parts: Json; p_transfer_id: string; p_upload_id: string }; Returns: boolean };
      repair_recording: { Args: { p_kind: string; p_recording_id: string }; Returns: boolean };
      report: { Args: { p_engine_task_id: string; p_event: string; p_facts?: Json }; Returns: Json };
      restart_transfer: {
        Args: { p_reason: string; p_source?: Json; p_transfer_id: string };
        Returns: boolean;
      };
      save_audit: {
        Args: {
          p_after_id: string;
          p_after_key: string;
          p_audit_id: string;
          p_counts: Json;
          p_findings: Json;
        };
        Returns: Json;
      };
      sources_to_delete: { Args: { p_recording_id: string }; Returns: Json };
      verify_transfers: { Args: { p_recording_id: string; p_verified: Json }; Returns: number };
      work: { Args: { p_drain: string; p_finished?: Json; p_lane: string; p_limit?: number }; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  public: {
    Enums: {},
  },
  recorder_api: {
    Enums: {},
  },
} as const;
