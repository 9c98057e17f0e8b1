import { Migration } from '@mikro-orm/migrations';

export class Migration20261124114420_initial extends Migration {
  override name = 'Migration20261124114420_initial';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`alert\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`hostname\` text not null, \`alert_name\` text not null, \`severity\` text not null, \`alert_type\` text not null, \`message\` text not null, \`status\` text not null, \`labels\` json not null, \`series\` json not null, \`starts_at\` datetime not null, \`acknowledged_at\` datetime null, \`acknowledged_until\` datetime null, \`acknowledged_by\` text null, \`predicted_time_to_impact\` text null, \`remediation_run_id\` text null, \`ticket\` json null, \`flaps\` integer not null, \`handled_at\` datetime null, \`created_at\` datetime not null, \`updated_at\` datetime not null, \`resolved_at\` datetime null, \`resolution\` text null);`,
    );
    this.addSql(`create index \`alert_endpoint_created\` on \`alert\` (\`endpoint_id\`, \`created_at\`);`);
    this.addSql(`create index \`alert_status_created\` on \`alert\` (\`status\`, \`created_at\`);`);
    this.addSql(`create index \`alert_created\` on \`alert\` (\`created_at\`);`);
    this.addSql(`create index \`alert_acknowledged\` on \`alert\` (\`acknowledged_at\`);`);
    this.addSql(`create index \`alert_resolved\` on \`alert\` (\`resolved_at\`);`);
    this.addSql(`create index \`alert_identity\` on \`alert\` (\`hostname\`, \`alert_name\`);`);
    this.addSql(
      `create index \`alert_unhandled\` on \`alert\` (\`id\`) where handled_at is null and status <> 'resolved';`,
    );
    this.addSql(
      `create unique index \`alert_one_open\` on \`alert\` (\`hostname\`, \`alert_name\`) where status <> 'resolved';`,
    );

    this.addSql(
      `create table \`alert_event\` (\`id\` integer not null primary key autoincrement, \`alert_id\` integer not null, \`at\` datetime not null, \`from_status\` text null, \`to_status\` text not null, \`actor\` text not null, \`via\` text not null, \`why\` text not null);`,
    );
    this.addSql(`create index \`alert_event_alert\` on \`alert_event\` (\`alert_id\`, \`id\`);`);

    this.addSql(
      `create table \`api_key\` (\`id\` integer not null primary key autoincrement, \`name\` text not null, \`role\` text not null, \`digest\` text not null, \`created_by\` text not null, \`created_at\` datetime not null, \`last_used_at\` datetime null, \`revoked_at\` datetime null);`,
    );
    this.addSql(`create unique index \`api_key_digest\` on \`api_key\` (\`digest\`);`);
    this.addSql(`create unique index \`api_key_name_valid\` on \`api_key\` (\`name\`) where revoked_at is null;`);

    this.addSql(
      `create table \`approval\` (\`id\` text not null primary key, \`kind\` text not null, \`status\` text not null, \`question\` text not null, \`plan\` json not null, \`tool\` text not null, \`input\` json not null, \`hostname\` text null, \`alert_id\` integer null, \`subject_id\` text null, \`requester\` json not null, \`requested_at\` datetime not null, \`expires_at\` datetime not null, \`yes_needed\` integer not null, \`answers\` json not null, \`decided_at\` datetime null, \`execution\` text not null, \`outcome\` text null, \`settled_at\` datetime null, \`version\` integer not null);`,
    );
    this.addSql(`create index \`approval_status_expiry\` on \`approval\` (\`status\`, \`expires_at\`);`);
    this.addSql(`create index \`approval_settled\` on \`approval\` (\`settled_at\`, \`status\`);`);
    this.addSql(`create index \`approval_requested\` on \`approval\` (\`requested_at\`);`);
    this.addSql(`create index \`approval_decided\` on \`approval\` (\`decided_at\`);`);
    this.addSql(`create index \`approval_hostname\` on \`approval\` (\`hostname\`, \`requested_at\`);`);

    this.addSql(
      `create table \`audit\` (\`id\` integer not null primary key autoincrement, \`at\` datetime not null, \`actor\` text not null, \`actor_kind\` text not null, \`via\` text not null, \`role\` text not null, \`tool\` text not null, \`input_digest\` text not null, \`subject\` text null, \`outcome\` text not null, \`error\` text null, \`duration_ms\` integer not null);`,
    );
    this.addSql(`create index \`audit_at\` on \`audit\` (\`at\`);`);
    this.addSql(`create index \`audit_actor_at\` on \`audit\` (\`actor\`, \`at\`);`);

    this.addSql(
      `create table \`endpoint\` (\`id\` integer not null primary key autoincrement, \`hostname\` text not null, \`ip_address\` text null, \`owner_email\` text null, \`persona\` text not null, \`criticality_tier\` integer not null, \`os_platform\` text not null, \`tags\` json not null, \`collector\` text not null, \`options\` json not null, \`agent_token_digest\` text null, \`host_key\` text null, \`registered_at\` datetime not null, \`updated_at\` datetime not null, \`deregistered_at\` datetime null, \`last_scan_at\` datetime null, \`last_seen_at\` datetime null, \`unreachable_reason\` text null, \`score\` double null, \`score_status\` text not null, \`coverage\` double null, \`scored_at\` datetime null, \`breaches\` json not null);`,
    );
    this.addSql(`create index \`endpoint_score\` on \`endpoint\` (\`score\`);`);
    this.addSql(`create index \`endpoint_ip_address\` on \`endpoint\` (\`ip_address\`);`);
    this.addSql(`create index \`endpoint_owner_email\` on \`endpoint\` (\`owner_email\`);`);
    this.addSql(
      `create index \`endpoint_deregistered\` on \`endpoint\` (\`deregistered_at\`) where deregistered_at is not null;`,
    );
    this.addSql(
      `create unique index \`endpoint_hostname_live\` on \`endpoint\` (\`hostname\`) where deregistered_at is null;`,
    );
    this.addSql(`create unique index \`endpoint_agent_token\` on \`endpoint\` (\`agent_token_digest\`);`);

    this.addSql(
      `create table \`feedback\` (\`id\` integer not null primary key, \`source\` text not null, \`rating\` integer not null, \`category\` text not null, \`comment\` text null, \`groups\` json not null);`,
    );
    this.addSql(`create index \`feedback_source\` on \`feedback\` (\`source\`);`);

    this.addSql(
      `create table \`feedback_cell\` (\`id\` integer not null primary key autoincrement, \`source\` text not null, \`given_out_on\` text not null, \`groups\` json not null, \`tally\` json not null, \`answers\` integer not null, \`comments_out\` integer not null);`,
    );
    this.addSql(`create index \`feedback_cell_on\` on \`feedback_cell\` (\`given_out_on\`);`);
    this.addSql(`create index \`feedback_cell_withheld\` on \`feedback_cell\` (\`source\`, \`comments_out\`);`);

    this.addSql(
      `create table \`feedback_comment\` (\`id\` integer not null primary key, \`source\` text not null, \`category\` text not null, \`text\` text not null, \`given_out_on\` text null);`,
    );
    this.addSql(`create index \`feedback_comment_on\` on \`feedback_comment\` (\`given_out_on\`);`);

    this.addSql(
      `create table \`fleet_score\` (\`id\` integer not null primary key autoincrement, \`at\` datetime not null, \`average\` double not null, \`endpoints\` integer not null);`,
    );
    this.addSql(`create index \`fleet_score_at\` on \`fleet_score\` (\`at\`);`);

    this.addSql(
      `create table \`fleet_score_hour\` (\`hour\` datetime not null primary key, \`samples\` integer not null, \`average_mean\` real null, \`average_min\` real null, \`average_max\` real null, \`average_count\` integer null, \`endpoints_mean\` real null, \`endpoints_min\` real null, \`endpoints_max\` real null, \`endpoints_count\` integer null);`,
    );

    this.addSql(
      `create table \`job\` (\`job\` text not null primary key, \`last_started_at\` datetime not null, \`last_succeeded_at\` datetime null, \`last_failed_at\` datetime null, \`failures\` integer not null, \`last_error\` text null);`,
    );

    this.addSql(
      `create table \`llm_spend\` (\`day\` text not null, \`caller\` text not null, \`spent_usd\` double not null, \`reserved_usd\` double not null, primary key (\`day\`, \`caller\`));`,
    );

    this.addSql(
      `create table \`outbox\` (\`id\` integer not null primary key autoincrement, \`messenger\` text not null, \`kind\` text not null, \`subject\` text not null, \`idempotency_key\` text not null, \`payload\` json not null, \`state\` text not null, \`attempts\` integer not null, \`created_at\` datetime not null, \`next_attempt_at\` datetime not null, \`sent_at\` datetime null, \`last_error\` text null);`,
    );
    this.addSql(`create index \`outbox_due\` on \`outbox\` (\`state\`, \`messenger\`, \`next_attempt_at\`);`);
    this.addSql(`create index \`outbox_sent\` on \`outbox\` (\`sent_at\`);`);
    this.addSql(`create unique index \`outbox_idempotency\` on \`outbox\` (\`idempotency_key\`);`);

    this.addSql(
      `create table \`prediction\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`hostname\` text not null, \`metric\` text not null, \`alert_name\` text not null, \`made_at\` datetime not null, \`limit_pct\` double not null, \`value\` double not null, \`slope_per_hour\` double not null, \`expected_at\` datetime not null, \`soonest_at\` datetime not null, \`latest_at\` datetime not null, \`severity\` text not null, \`impact_text\` text not null, \`impact_hours\` double not null, \`ended_at\` datetime null, \`verdict\` text not null, \`judged_at\` datetime null, \`reached_at\` datetime null, \`lead_hours\` double null);`,
    );
    this.addSql(`create index \`prediction_made\` on \`prediction\` (\`made_at\`);`);
    this.addSql(`create index \`prediction_verdict\` on \`prediction\` (\`verdict\`, \`id\`);`);
    this.addSql(
      `create unique index \`prediction_one_standing\` on \`prediction\` (\`endpoint_id\`, \`metric\`) where ended_at is null;`,
    );

    this.addSql(
      `create table \`prediction_threshold\` (\`alert_name\` text not null primary key, \`horizon_hours\` integer not null, \`set_by\` text not null, \`set_at\` datetime not null);`,
    );

    this.addSql(
      `create table \`remediation\` (\`id\` text not null primary key, \`alert_id\` integer not null, \`alert_name\` text not null, \`endpoint_id\` integer not null, \`hostname\` text not null, \`action\` text not null, \`playbook\` text not null, \`variables\` json not null, \`dry_run\` integer not null, \`status\` text not null, \`reason\` text null, \`approval_id\` text null, \`requested_by\` text not null, \`created_at\` datetime not null, \`started_at\` datetime null, \`finished_at\` datetime null, \`played_at\` datetime null, \`verify_by\` datetime null, \`cancelled_by\` text null, \`owner_says_fixed\` integer null);`,
    );
    this.addSql(`create index \`remediation_endpoint_created\` on \`remediation\` (\`endpoint_id\`, \`created_at\`);`);
    this.addSql(`create index \`remediation_status\` on \`remediation\` (\`status\`);`);
    this.addSql(`create index \`remediation_created\` on \`remediation\` (\`created_at\`);`);
    this.addSql(`create index \`remediation_finished\` on \`remediation\` (\`finished_at\`);`);
    this.addSql(`create index \`remediation_hostname\` on \`remediation\` (\`hostname\`, \`created_at\`);`);
    this.addSql(`create index \`remediation_alert\` on \`remediation\` (\`alert_id\`);`);
    this.addSql(
      `create unique index \`remediation_one_running\` on \`remediation\` (\`endpoint_id\`) where status = 'running';`,
    );

    this.addSql(
      `create table \`run\` (\`id\` text not null primary key, \`kind\` text not null, \`status\` text not null, \`hostname\` text null, \`goal\` text null, \`agent_profile\` text null, \`requested_by\` text not null, \`via\` text not null, \`created_at\` datetime not null, \`started_at\` datetime null, \`finished_at\` datetime null, \`error\` text null, \`result\` json null, \`steps\` json not null, \`state\` json null, \`usage\` json null, \`cost_usd\` double null, \`worker_id\` text null);`,
    );
    this.addSql(`create index \`run_status_kind\` on \`run\` (\`status\`, \`kind\`);`);
    this.addSql(`create index \`run_created\` on \`run\` (\`created_at\`);`);
    this.addSql(`create index \`run_finished\` on \`run\` (\`finished_at\`);`);
    this.addSql(`create index \`run_hostname_created\` on \`run\` (\`hostname\`, \`created_at\`);`);
    this.addSql(
      `create unique index \`run_one_fleet_scan\` on \`run\` (\`kind\`) where kind = 'fleet_scan' and status in ('queued', 'running');`,
    );

    this.addSql(
      `create table \`runbook_feedback\` (\`id\` integer not null primary key autoincrement, \`doc_id\` text not null, \`voter\` text not null, \`alert_id\` integer not null, \`helped\` integer not null, \`voted_at\` datetime not null);`,
    );
    this.addSql(
      `create unique index \`runbook_feedback_one_word\` on \`runbook_feedback\` (\`doc_id\`, \`voter\`, \`alert_id\`);`,
    );

    this.addSql(
      `create table \`scan_shard\` (\`id\` text not null primary key, \`run_id\` text not null, \`from_id\` integer not null, \`to_id\` integer not null, \`endpoints\` integer not null, \`status\` text not null, \`worker_id\` text null, \`attempts\` integer not null, \`done_ids\` json not null, \`scanned\` integer not null, \`scored\` integer not null, \`unreachable\` integer not null, \`skipped_push\` integer not null, \`notes\` json not null);`,
    );
    this.addSql(`create index \`scan_shard_run\` on \`scan_shard\` (\`run_id\`, \`status\`);`);

    this.addSql(
      `create table \`score\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`scored_at\` datetime not null, \`score\` double not null, \`status\` text not null, \`coverage\` double not null, \`components\` json not null, \`deductions\` json not null, \`caps\` json not null, \`improvements\` json not null);`,
    );
    this.addSql(`create index \`score_endpoint_time\` on \`score\` (\`endpoint_id\`, \`scored_at\`);`);

    this.addSql(
      `create table \`score_hour\` (\`endpoint_id\` integer not null, \`hour\` datetime not null, \`samples\` integer not null, \`score_mean\` real null, \`score_min\` real null, \`score_max\` real null, \`score_count\` integer null, \`device_mean\` real null, \`device_min\` real null, \`device_max\` real null, \`device_count\` integer null, \`network_mean\` real null, \`network_min\` real null, \`network_max\` real null, \`network_count\` integer null, \`app_mean\` real null, \`app_min\` real null, \`app_max\` real null, \`app_count\` integer null, \`remediation_mean\` real null, \`remediation_min\` real null, \`remediation_max\` real null, \`remediation_count\` integer null, primary key (\`endpoint_id\`, \`hour\`));`,
    );

    this.addSql(
      `create table \`slack_message\` (\`id\` integer not null primary key autoincrement, \`subject\` text not null, \`channel\` text not null, \`ts\` text not null, \`digest\` integer not null);`,
    );
    this.addSql(`create unique index \`slack_message_subject\` on \`slack_message\` (\`subject\`);`);

    this.addSql(
      `create table \`snapshot\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`collected_at\` datetime not null, \`collector\` text not null, \`duration_ms\` integer not null, \`reachable\` integer not null, \`unreachable_reason\` text null, \`cpu_pct\` double null, \`memory_pct\` double null, \`disk_pct\` double null, \`disk_mount\` text null, \`latency_ms\` double null, \`packet_loss_pct\` double null, \`dns_failures\` integer null, \`dns_lookups\` integer null, \`services_down\` json null, \`log_errors\` integer null, \`booted_at\` datetime null, \`unmeasured\` json not null);`,
    );
    this.addSql(
      `create index \`snapshot_endpoint_time\` on \`snapshot\` (\`endpoint_id\`, \`collected_at\`, \`cpu_pct\`, \`memory_pct\`, \`disk_pct\`);`,
    );

    this.addSql(
      `create table \`snapshot_hour\` (\`endpoint_id\` integer not null, \`hour\` datetime not null, \`samples\` integer not null, \`reachable_pct_mean\` real null, \`reachable_pct_min\` real null, \`reachable_pct_max\` real null, \`reachable_pct_count\` integer null, \`cpu_pct_mean\` real null, \`cpu_pct_min\` real null, \`cpu_pct_max\` real null, \`cpu_pct_count\` integer null, \`memory_pct_mean\` real null, \`memory_pct_min\` real null, \`memory_pct_max\` real null, \`memory_pct_count\` integer null, \`disk_pct_mean\` real null, \`disk_pct_min\` real null, \`disk_pct_max\` real null, \`disk_pct_count\` integer null, \`latency_ms_mean\` real null, \`latency_ms_min\` real null, \`latency_ms_max\` real null, \`latency_ms_count\` integer null, \`packet_loss_pct_mean\` real null, \`packet_loss_pct_min\` real null, \`packet_loss_pct_max\` real null, \`packet_loss_pct_count\` integer null, \`dns_failure_pct_mean\` real null, \`dns_failure_pct_min\` real null, \`dns_failure_pct_max\` real null, \`dns_failure_pct_count\` integer null, \`services_down_mean\` real null, \`services_down_min\` real null, \`services_down_max\` real null, \`services_down_count\` integer null, \`log_errors_mean\` real null, \`log_errors_min\` real null, \`log_errors_max\` real null, \`log_errors_count\` integer null, primary key (\`endpoint_id\`, \`hour\`));`,
    );

    this.addSql(
      `create table \`survey\` (\`id\` integer not null primary key autoincrement, \`question\` text not null, \`status\` text not null, \`started_by\` text not null, \`started_at\` datetime not null, \`ends_at\` datetime not null, \`closed_at\` datetime null, \`invited\` integer not null, \`answered\` integer not null);`,
    );
    this.addSql(`create unique index \`survey_one_open\` on \`survey\` (\`status\`) where status = 'open';`);

    this.addSql(
      `create table \`survey_invitation\` (\`id\` integer not null primary key autoincrement, \`survey_id\` integer not null, \`email\` text not null, \`state\` text not null, \`time_zone\` text null, \`asked_at\` datetime null, \`reminded_at\` datetime null, \`token_digest\` text null, \`reminder_digest\` text null);`,
    );
    this.addSql(`create index \`survey_invitation_survey\` on \`survey_invitation\` (\`survey_id\`, \`state\`);`);
    this.addSql(`create index \`survey_invitation_email\` on \`survey_invitation\` (\`email\`);`);
    this.addSql(`create index \`survey_invitation_token\` on \`survey_invitation\` (\`token_digest\`);`);
    this.addSql(`create index \`survey_invitation_reminder\` on \`survey_invitation\` (\`reminder_digest\`);`);

    this.addSql(
      `create table \`survey_person\` (\`email\` text not null primary key, \`asked_at\` datetime null, \`opted_out_at\` datetime null);`,
    );

    this.addSql(
      `create table \`survey_seat\` (\`invitation_id\` integer not null primary key autoincrement, \`survey_id\` integer not null);`,
    );
    this.addSql(`create index \`survey_seat_survey\` on \`survey_seat\` (\`survey_id\`);`);

    this.addSql(
      `create table \`ticket\` (\`id\` text not null primary key, \`alert_id\` integer not null, \`status\` text not null, \`external_id\` text null, \`external_ref\` text null, \`url\` text null, \`created_at\` datetime not null, \`opened_at\` datetime null, \`status_at\` datetime null);`,
    );
    this.addSql(`create index \`ticket_alert\` on \`ticket\` (\`alert_id\`);`);
    this.addSql(`create index \`ticket_external\` on \`ticket\` (\`external_id\`);`);

    this.addSql(
      `create table \`ticket_delivery\` (\`id\` text not null primary key, \`received_at\` datetime not null);`,
    );
    this.addSql(`create index \`ticket_delivery_received\` on \`ticket_delivery\` (\`received_at\`);`);

    this.addSql(
      `create table \`unknown_host\` (\`id\` integer not null primary key autoincrement, \`hostname\` text not null, \`alert_name\` text not null, \`first_seen_at\` datetime not null, \`last_seen_at\` datetime not null, \`count\` integer not null);`,
    );
    this.addSql(`create index \`unknown_host_seen\` on \`unknown_host\` (\`last_seen_at\`);`);
    this.addSql(`create unique index \`unknown_host_alert\` on \`unknown_host\` (\`hostname\`, \`alert_name\`);`);

    this.addSql(
      `create table \`worker\` (\`id\` text not null primary key, \`host\` text not null, \`pid\` integer not null, \`started_at\` datetime not null, \`seen_at\` datetime not null, \`works\` integer not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`alert\`;`);
    this.addSql(`drop table if exists \`alert_event\`;`);
    this.addSql(`drop table if exists \`api_key\`;`);
    this.addSql(`drop table if exists \`approval\`;`);
    this.addSql(`drop table if exists \`audit\`;`);
    this.addSql(`drop table if exists \`endpoint\`;`);
    this.addSql(`drop table if exists \`feedback\`;`);
    this.addSql(`drop table if exists \`feedback_cell\`;`);
    this.addSql(`drop table if exists \`feedback_comment\`;`);
    this.addSql(`drop table if exists \`fleet_score\`;`);
    this.addSql(`drop table if exists \`fleet_score_hour\`;`);
    this.addSql(`drop table if exists \`job\`;`);
    this.addSql(`drop table if exists \`llm_spend\`;`);
    this.addSql(`drop table if exists \`outbox\`;`);
    this.addSql(`drop table if exists \`prediction\`;`);
    this.addSql(`drop table if exists \`prediction_threshold\`;`);
    this.addSql(`drop table if exists \`remediation\`;`);
    this.addSql(`drop table if exists \`run\`;`);
    this.addSql(`drop table if exists \`runbook_feedback\`;`);
    this.addSql(`drop table if exists \`scan_shard\`;`);
    this.addSql(`drop table if exists \`score\`;`);
    this.addSql(`drop table if exists \`score_hour\`;`);
    this.addSql(`drop table if exists \`slack_message\`;`);
    this.addSql(`drop table if exists \`snapshot\`;`);
    this.addSql(`drop table if exists \`snapshot_hour\`;`);
    this.addSql(`drop table if exists \`survey\`;`);
    this.addSql(`drop table if exists \`survey_invitation\`;`);
    this.addSql(`drop table if exists \`survey_person\`;`);
    this.addSql(`drop table if exists \`survey_seat\`;`);
    this.addSql(`drop table if exists \`ticket\`;`);
    this.addSql(`drop table if exists \`ticket_delivery\`;`);
    this.addSql(`drop table if exists \`unknown_host\`;`);
    this.addSql(`drop table if exists \`worker\`;`);
  }
}
