import { Migration } from '@mikro-orm/migrations';

export class Migration20261124114420_initial extends Migration {
  override name = 'Migration20261124114420_initial';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "alert" ("id" serial primary key, "endpoint_id" int not null, "hostname" varchar(253) not null, "alert_name" varchar(255) not null, "severity" varchar(255) not null, "alert_type" varchar(255) not null, "message" text not null, "status" varchar(255) not null, "labels" jsonb not null, "series" jsonb not null, "starts_at" timestamptz(3) not null, "acknowledged_at" timestamptz(3) null, "acknowledged_until" timestamptz(3) null, "acknowledged_by" varchar(255) null, "predicted_time_to_impact" varchar(255) null, "remediation_run_id" varchar(255) null, "ticket" jsonb null, "flaps" int not null, "handled_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "resolved_at" timestamptz(3) null, "resolution" varchar(255) null);`,
    );
    this.addSql(`create index "alert_endpoint_created" on "alert" ("endpoint_id", "created_at");`);
    this.addSql(`create index "alert_status_created" on "alert" ("status", "created_at");`);
    this.addSql(`create index "alert_created" on "alert" ("created_at");`);
    this.addSql(`create index "alert_acknowledged" on "alert" ("acknowledged_at");`);
    this.addSql(`create index "alert_resolved" on "alert" ("resolved_at");`);
    this.addSql(`create index "alert_identity" on "alert" ("hostname", "alert_name");`);
    this.addSql(`create index "alert_unhandled" on "alert" ("id") where handled_at is null and status <> 'resolved';`);
    this.addSql(
      `create unique index "alert_one_open" on "alert" ("hostname", "alert_name") where status <> 'resolved';`,
    );

    this.addSql(
      `create table "alert_event" ("id" serial primary key, "alert_id" int not null, "at" timestamptz(3) not null, "from_status" varchar(255) null, "to_status" varchar(255) not null, "actor" varchar(255) not null, "via" varchar(255) not null, "why" text not null);`,
    );
    this.addSql(`create index "alert_event_alert" on "alert_event" ("alert_id", "id");`);

    this.addSql(
      `create table "api_key" ("id" serial primary key, "name" varchar(64) not null, "role" varchar(255) not null, "digest" varchar(64) not null, "created_by" varchar(255) not null, "created_at" timestamptz(3) not null, "last_used_at" timestamptz(3) null, "revoked_at" timestamptz(3) null);`,
    );
    this.addSql(`alter table "api_key" add constraint "api_key_digest" unique ("digest");`);
    this.addSql(`create unique index "api_key_name_valid" on "api_key" ("name") where revoked_at is null;`);

    this.addSql(
      `create table "approval" ("id" varchar(255) not null, "kind" varchar(255) not null, "status" varchar(255) not null, "question" text not null, "plan" jsonb not null, "tool" varchar(255) not null, "input" jsonb not null, "hostname" varchar(255) null, "alert_id" int null, "subject_id" varchar(255) null, "requester" jsonb not null, "requested_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "yes_needed" int not null, "answers" jsonb not null, "decided_at" timestamptz(3) null, "execution" varchar(255) not null, "outcome" text null, "settled_at" timestamptz(3) null, "version" int not null, primary key ("id"));`,
    );
    this.addSql(`create index "approval_status_expiry" on "approval" ("status", "expires_at");`);
    this.addSql(`create index "approval_settled" on "approval" ("settled_at", "status");`);
    this.addSql(`create index "approval_requested" on "approval" ("requested_at");`);
    this.addSql(`create index "approval_decided" on "approval" ("decided_at");`);
    this.addSql(`create index "approval_hostname" on "approval" ("hostname", "requested_at");`);

    this.addSql(
      `create table "audit" ("id" serial primary key, "at" timestamptz(3) not null, "actor" varchar(255) not null, "actor_kind" varchar(255) not null, "via" varchar(255) not null, "role" varchar(255) not null, "tool" varchar(255) not null, "input_digest" varchar(255) not null, "subject" varchar(255) null, "outcome" varchar(255) not null, "error" text null, "duration_ms" int not null);`,
    );
    this.addSql(`create index "audit_at" on "audit" ("at");`);
    this.addSql(`create index "audit_actor_at" on "audit" ("actor", "at");`);

    this.addSql(
      `create table "endpoint" ("id" serial primary key, "hostname" varchar(253) not null, "ip_address" varchar(255) null, "owner_email" varchar(255) null, "persona" varchar(255) not null, "criticality_tier" int not null, "os_platform" varchar(255) not null, "tags" jsonb not null, "collector" varchar(255) not null, "options" jsonb not null, "agent_token_digest" varchar(255) null, "host_key" varchar(255) null, "registered_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "deregistered_at" timestamptz(3) null, "last_scan_at" timestamptz(3) null, "last_seen_at" timestamptz(3) null, "unreachable_reason" text null, "score" double precision null, "score_status" varchar(255) not null, "coverage" double precision null, "scored_at" timestamptz(3) null, "breaches" jsonb not null);`,
    );
    this.addSql(`create index "endpoint_score" on "endpoint" ("score");`);
    this.addSql(`create index "endpoint_ip_address" on "endpoint" ("ip_address");`);
    this.addSql(`create index "endpoint_owner_email" on "endpoint" ("owner_email");`);
    this.addSql(
      `create index "endpoint_deregistered" on "endpoint" ("deregistered_at") where deregistered_at is not null;`,
    );
    this.addSql(
      `create unique index "endpoint_hostname_live" on "endpoint" ("hostname") where deregistered_at is null;`,
    );
    this.addSql(`alter table "endpoint" add constraint "endpoint_agent_token" unique ("agent_token_digest");`);

    this.addSql(
      `create table "feedback" ("id" bigint not null, "source" varchar(255) not null, "rating" int not null, "category" varchar(255) not null, "comment" text null, "groups" jsonb not null, primary key ("id"));`,
    );
    this.addSql(`create index "feedback_source" on "feedback" ("source");`);

    this.addSql(
      `create table "feedback_cell" ("id" serial primary key, "source" varchar(255) not null, "given_out_on" varchar(10) not null, "groups" jsonb not null, "tally" jsonb not null, "answers" int not null, "comments_out" boolean not null);`,
    );
    this.addSql(`create index "feedback_cell_on" on "feedback_cell" ("given_out_on");`);
    this.addSql(`create index "feedback_cell_withheld" on "feedback_cell" ("source", "comments_out");`);

    this.addSql(
      `create table "feedback_comment" ("id" bigint not null, "source" varchar(255) not null, "category" varchar(255) not null, "text" text not null, "given_out_on" varchar(10) null, primary key ("id"));`,
    );
    this.addSql(`create index "feedback_comment_on" on "feedback_comment" ("given_out_on");`);

    this.addSql(
      `create table "fleet_score" ("id" serial primary key, "at" timestamptz(3) not null, "average" double precision not null, "endpoints" int not null);`,
    );
    this.addSql(`create index "fleet_score_at" on "fleet_score" ("at");`);

    this.addSql(
      `create table "fleet_score_hour" ("hour" timestamptz(3) not null, "samples" int not null, "average_mean" real null, "average_min" real null, "average_max" real null, "average_count" int null, "endpoints_mean" real null, "endpoints_min" real null, "endpoints_max" real null, "endpoints_count" int null, primary key ("hour"));`,
    );

    this.addSql(
      `create table "job" ("job" varchar(255) not null, "last_started_at" timestamptz(3) not null, "last_succeeded_at" timestamptz(3) null, "last_failed_at" timestamptz(3) null, "failures" int not null, "last_error" text null, primary key ("job"));`,
    );

    this.addSql(
      `create table "llm_spend" ("day" varchar(10) not null, "caller" varchar(255) not null, "spent_usd" double precision not null, "reserved_usd" double precision not null, primary key ("day", "caller"));`,
    );

    this.addSql(
      `create table "outbox" ("id" serial primary key, "messenger" varchar(255) not null, "kind" varchar(255) not null, "subject" varchar(255) not null, "idempotency_key" varchar(255) not null, "payload" jsonb not null, "state" varchar(255) not null, "attempts" int not null, "created_at" timestamptz(3) not null, "next_attempt_at" timestamptz(3) not null, "sent_at" timestamptz(3) null, "last_error" text null);`,
    );
    this.addSql(`create index "outbox_due" on "outbox" ("state", "messenger", "next_attempt_at");`);
    this.addSql(`create index "outbox_sent" on "outbox" ("sent_at");`);
    this.addSql(`alter table "outbox" add constraint "outbox_idempotency" unique ("idempotency_key");`);

    this.addSql(
      `create table "prediction" ("id" serial primary key, "endpoint_id" int not null, "hostname" varchar(253) not null, "metric" varchar(255) not null, "alert_name" varchar(255) not null, "made_at" timestamptz(3) not null, "limit_pct" double precision not null, "value" double precision not null, "slope_per_hour" double precision not null, "expected_at" timestamptz(3) not null, "soonest_at" timestamptz(3) not null, "latest_at" timestamptz(3) not null, "severity" varchar(255) not null, "impact_text" varchar(255) not null, "impact_hours" double precision not null, "ended_at" timestamptz(3) null, "verdict" varchar(255) not null, "judged_at" timestamptz(3) null, "reached_at" timestamptz(3) null, "lead_hours" double precision null);`,
    );
    this.addSql(`create index "prediction_made" on "prediction" ("made_at");`);
    this.addSql(`create index "prediction_verdict" on "prediction" ("verdict", "id");`);
    this.addSql(
      `create unique index "prediction_one_standing" on "prediction" ("endpoint_id", "metric") where ended_at is null;`,
    );

    this.addSql(
      `create table "prediction_threshold" ("alert_name" varchar(255) not null, "horizon_hours" int not null, "set_by" varchar(255) not null, "set_at" timestamptz(3) not null, primary key ("alert_name"));`,
    );

    this.addSql(
      `create table "remediation" ("id" varchar(255) not null, "alert_id" int not null, "alert_name" varchar(255) not null, "endpoint_id" int not null, "hostname" varchar(255) not null, "action" varchar(255) not null, "playbook" varchar(255) not null, "variables" jsonb not null, "dry_run" boolean not null, "status" varchar(255) not null, "reason" text null, "approval_id" varchar(255) null, "requested_by" varchar(255) not null, "created_at" timestamptz(3) not null, "started_at" timestamptz(3) null, "finished_at" timestamptz(3) null, "played_at" timestamptz(3) null, "verify_by" timestamptz(3) null, "cancelled_by" varchar(255) null, "owner_says_fixed" boolean null, primary key ("id"));`,
    );
    this.addSql(`create index "remediation_endpoint_created" on "remediation" ("endpoint_id", "created_at");`);
    this.addSql(`create index "remediation_status" on "remediation" ("status");`);
    this.addSql(`create index "remediation_created" on "remediation" ("created_at");`);
    this.addSql(`create index "remediation_finished" on "remediation" ("finished_at");`);
    this.addSql(`create index "remediation_hostname" on "remediation" ("hostname", "created_at");`);
    this.addSql(`create index "remediation_alert" on "remediation" ("alert_id");`);
    this.addSql(
      `create unique index "remediation_one_running" on "remediation" ("endpoint_id") where status = 'running';`,
    );

    this.addSql(
      `create table "run" ("id" varchar(255) not null, "kind" varchar(255) not null, "status" varchar(255) not null, "hostname" varchar(255) null, "goal" text null, "agent_profile" varchar(255) null, "requested_by" varchar(255) not null, "via" varchar(255) not null, "created_at" timestamptz(3) not null, "started_at" timestamptz(3) null, "finished_at" timestamptz(3) null, "error" text null, "result" jsonb null, "steps" jsonb not null, "state" jsonb null, "usage" jsonb null, "cost_usd" double precision null, "worker_id" varchar(255) null, primary key ("id"));`,
    );
    this.addSql(`create index "run_status_kind" on "run" ("status", "kind");`);
    this.addSql(`create index "run_created" on "run" ("created_at");`);
    this.addSql(`create index "run_finished" on "run" ("finished_at");`);
    this.addSql(`create index "run_hostname_created" on "run" ("hostname", "created_at");`);
    this.addSql(
      `create unique index "run_one_fleet_scan" on "run" ("kind") where kind = 'fleet_scan' and status in ('queued', 'running');`,
    );

    this.addSql(
      `create table "runbook_feedback" ("id" serial primary key, "doc_id" varchar(255) not null, "voter" varchar(255) not null, "alert_id" int not null, "helped" boolean not null, "voted_at" timestamptz(3) not null);`,
    );
    this.addSql(
      `alter table "runbook_feedback" add constraint "runbook_feedback_one_word" unique ("doc_id", "voter", "alert_id");`,
    );

    this.addSql(
      `create table "scan_shard" ("id" varchar(255) not null, "run_id" varchar(255) not null, "from_id" int not null, "to_id" int not null, "endpoints" int not null, "status" varchar(255) not null, "worker_id" varchar(255) null, "attempts" int not null, "done_ids" jsonb not null, "scanned" int not null, "scored" int not null, "unreachable" int not null, "skipped_push" int not null, "notes" jsonb not null, primary key ("id"));`,
    );
    this.addSql(`create index "scan_shard_run" on "scan_shard" ("run_id", "status");`);

    this.addSql(
      `create table "score" ("id" bigserial primary key, "endpoint_id" int not null, "scored_at" timestamptz(3) not null, "score" double precision not null, "status" varchar(255) not null, "coverage" double precision not null, "components" jsonb not null, "deductions" jsonb not null, "caps" jsonb not null, "improvements" jsonb not null);`,
    );
    this.addSql(`create index "score_endpoint_time" on "score" ("endpoint_id", "scored_at");`);

    this.addSql(
      `create table "score_hour" ("endpoint_id" int not null, "hour" timestamptz(3) not null, "samples" int not null, "score_mean" real null, "score_min" real null, "score_max" real null, "score_count" int null, "device_mean" real null, "device_min" real null, "device_max" real null, "device_count" int null, "network_mean" real null, "network_min" real null, "network_max" real null, "network_count" int null, "app_mean" real null, "app_min" real null, "app_max" real null, "app_count" int null, "remediation_mean" real null, "remediation_min" real null, "remediation_max" real null, "remediation_count" int null, primary key ("endpoint_id", "hour"));`,
    );

    this.addSql(
      `create table "slack_message" ("id" serial primary key, "subject" varchar(255) not null, "channel" varchar(255) not null, "ts" varchar(255) not null, "digest" boolean not null);`,
    );
    this.addSql(`alter table "slack_message" add constraint "slack_message_subject" unique ("subject");`);

    this.addSql(
      `create table "snapshot" ("id" bigserial primary key, "endpoint_id" int not null, "collected_at" timestamptz(3) not null, "collector" varchar(255) not null, "duration_ms" int not null, "reachable" boolean not null, "unreachable_reason" text null, "cpu_pct" double precision null, "memory_pct" double precision null, "disk_pct" double precision null, "disk_mount" varchar(255) null, "latency_ms" double precision null, "packet_loss_pct" double precision null, "dns_failures" int null, "dns_lookups" int null, "services_down" jsonb null, "log_errors" int null, "booted_at" timestamptz(3) null, "unmeasured" jsonb not null);`,
    );
    this.addSql(
      `create index "snapshot_endpoint_time" on "snapshot" ("endpoint_id", "collected_at", "cpu_pct", "memory_pct", "disk_pct");`,
    );

    this.addSql(
      `create table "snapshot_hour" ("endpoint_id" int not null, "hour" timestamptz(3) not null, "samples" int not null, "reachable_pct_mean" real null, "reachable_pct_min" real null, "reachable_pct_max" real null, "reachable_pct_count" int null, "cpu_pct_mean" real null, "cpu_pct_min" real null, "cpu_pct_max" real null, "cpu_pct_count" int null, "memory_pct_mean" real null, "memory_pct_min" real null, "memory_pct_max" real null, "memory_pct_count" int null, "disk_pct_mean" real null, "disk_pct_min" real null, "disk_pct_max" real null, "disk_pct_count" int null, "latency_ms_mean" real null, "latency_ms_min" real null, "latency_ms_max" real null, "latency_ms_count" int null, "packet_loss_pct_mean" real null, "packet_loss_pct_min" real null, "packet_loss_pct_max" real null, "packet_loss_pct_count" int null, "dns_failure_pct_mean" real null, "dns_failure_pct_min" real null, "dns_failure_pct_max" real null, "dns_failure_pct_count" int null, "services_down_mean" real null, "services_down_min" real null, "services_down_max" real null, "services_down_count" int null, "log_errors_mean" real null, "log_errors_min" real null, "log_errors_max" real null, "log_errors_count" int null, primary key ("endpoint_id", "hour"));`,
    );

    this.addSql(
      `create table "survey" ("id" serial primary key, "question" text not null, "status" varchar(255) not null, "started_by" varchar(255) not null, "started_at" timestamptz(3) not null, "ends_at" timestamptz(3) not null, "closed_at" timestamptz(3) null, "invited" int not null, "answered" int not null);`,
    );
    this.addSql(`create unique index "survey_one_open" on "survey" ("status") where status = 'open';`);

    this.addSql(
      `create table "survey_invitation" ("id" serial primary key, "survey_id" int not null, "email" varchar(255) not null, "state" varchar(255) not null, "time_zone" varchar(255) null, "asked_at" timestamptz(3) null, "reminded_at" timestamptz(3) null, "token_digest" varchar(255) null, "reminder_digest" varchar(255) null);`,
    );
    this.addSql(`create index "survey_invitation_survey" on "survey_invitation" ("survey_id", "state");`);
    this.addSql(`create index "survey_invitation_email" on "survey_invitation" ("email");`);
    this.addSql(`create index "survey_invitation_token" on "survey_invitation" ("token_digest");`);
    this.addSql(`create index "survey_invitation_reminder" on "survey_invitation" ("reminder_digest");`);

    this.addSql(
      `create table "survey_person" ("email" varchar(255) not null, "asked_at" timestamptz(3) null, "opted_out_at" timestamptz(3) null, primary key ("email"));`,
    );

    this.addSql(`create table "survey_seat" ("invitation_id" serial primary key, "survey_id" int not null);`);
    this.addSql(`create index "survey_seat_survey" on "survey_seat" ("survey_id");`);

    this.addSql(
      `create table "ticket" ("id" varchar(255) not null, "alert_id" int not null, "status" varchar(255) not null, "external_id" varchar(255) null, "external_ref" varchar(255) null, "url" text null, "created_at" timestamptz(3) not null, "opened_at" timestamptz(3) null, "status_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "ticket_alert" on "ticket" ("alert_id");`);
    this.addSql(`create index "ticket_external" on "ticket" ("external_id");`);

    this.addSql(
      `create table "ticket_delivery" ("id" varchar(255) not null, "received_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "ticket_delivery_received" on "ticket_delivery" ("received_at");`);

    this.addSql(
      `create table "unknown_host" ("id" serial primary key, "hostname" varchar(255) not null, "alert_name" varchar(255) not null, "first_seen_at" timestamptz(3) not null, "last_seen_at" timestamptz(3) not null, "count" int not null);`,
    );
    this.addSql(`create index "unknown_host_seen" on "unknown_host" ("last_seen_at");`);
    this.addSql(`alter table "unknown_host" add constraint "unknown_host_alert" unique ("hostname", "alert_name");`);

    this.addSql(
      `create table "worker" ("id" varchar(255) not null, "host" varchar(255) not null, "pid" int not null, "started_at" timestamptz(3) not null, "seen_at" timestamptz(3) not null, "works" boolean not null, primary key ("id"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "alert" cascade;`);
    this.addSql(`drop table if exists "alert_event" cascade;`);
    this.addSql(`drop table if exists "api_key" cascade;`);
    this.addSql(`drop table if exists "approval" cascade;`);
    this.addSql(`drop table if exists "audit" cascade;`);
    this.addSql(`drop table if exists "endpoint" cascade;`);
    this.addSql(`drop table if exists "feedback" cascade;`);
    this.addSql(`drop table if exists "feedback_cell" cascade;`);
    this.addSql(`drop table if exists "feedback_comment" cascade;`);
    this.addSql(`drop table if exists "fleet_score" cascade;`);
    this.addSql(`drop table if exists "fleet_score_hour" cascade;`);
    this.addSql(`drop table if exists "job" cascade;`);
    this.addSql(`drop table if exists "llm_spend" cascade;`);
    this.addSql(`drop table if exists "outbox" cascade;`);
    this.addSql(`drop table if exists "prediction" cascade;`);
    this.addSql(`drop table if exists "prediction_threshold" cascade;`);
    this.addSql(`drop table if exists "remediation" cascade;`);
    this.addSql(`drop table if exists "run" cascade;`);
    this.addSql(`drop table if exists "runbook_feedback" cascade;`);
    this.addSql(`drop table if exists "scan_shard" cascade;`);
    this.addSql(`drop table if exists "score" cascade;`);
    this.addSql(`drop table if exists "score_hour" cascade;`);
    this.addSql(`drop table if exists "slack_message" cascade;`);
    this.addSql(`drop table if exists "snapshot" cascade;`);
    this.addSql(`drop table if exists "snapshot_hour" cascade;`);
    this.addSql(`drop table if exists "survey" cascade;`);
    this.addSql(`drop table if exists "survey_invitation" cascade;`);
    this.addSql(`drop table if exists "survey_person" cascade;`);
    this.addSql(`drop table if exists "survey_seat" cascade;`);
    this.addSql(`drop table if exists "ticket" cascade;`);
    this.addSql(`drop table if exists "ticket_delivery" cascade;`);
    this.addSql(`drop table if exists "unknown_host" cascade;`);
    this.addSql(`drop table if exists "worker" cascade;`);
  }
}
