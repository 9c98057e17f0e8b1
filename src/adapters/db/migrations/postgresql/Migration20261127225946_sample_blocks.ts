import { Migration } from '@mikro-orm/migrations';
import { SAMPLE_BLOCK_KINDS } from '../../entities/telemetry.ts';
import { hoursToBlocks } from '../../telemetry/hoursToBlocks.ts';

export class Migration20261127225946_sample_blocks extends Migration {
  override name = 'Migration20261127225946_sample_blocks';

  override async up(): Promise<void> {
    await this.execute(
      `create table "sample_block" ("endpoint_id" int not null, "kind" smallint not null, "day" timestamptz(3) not null, "samples" int not null, "data" bytea not null, primary key ("endpoint_id", "kind", "day"));`,
    );
    // The bytes are compressed already.
    await this.execute('alter table "sample_block" alter column "data" set storage external');
    const execute = (sql: string, parameters?: unknown[]) => this.execute(sql, parameters as never);
    await hoursToBlocks(execute, 'snapshot_hour', SAMPLE_BLOCK_KINDS.snapshotHour);
    await hoursToBlocks(execute, 'score_hour', SAMPLE_BLOCK_KINDS.scoreHour);
    this.addSql(`drop table if exists "score_hour" cascade;`);
    this.addSql(`drop table if exists "snapshot_hour" cascade;`);
  }

  override down(): void | Promise<void> {
    this.addSql(
      `create table "score_hour" ("app_count" int null, "app_max" real null, "app_mean" real null, "app_min" real null, "device_count" int null, "device_max" real null, "device_mean" real null, "device_min" real null, "endpoint_id" int not null, "hour" timestamptz(3) not null, "network_count" int null, "network_max" real null, "network_mean" real null, "network_min" real null, "remediation_count" int null, "remediation_max" real null, "remediation_mean" real null, "remediation_min" real null, "samples" int not null, "score_count" int null, "score_max" real null, "score_mean" real null, "score_min" real null, primary key ("endpoint_id", "hour"));`,
    );

    this.addSql(
      `create table "snapshot_hour" ("cpu_pct_count" int null, "cpu_pct_max" real null, "cpu_pct_mean" real null, "cpu_pct_min" real null, "disk_pct_count" int null, "disk_pct_max" real null, "disk_pct_mean" real null, "disk_pct_min" real null, "dns_failure_pct_count" int null, "dns_failure_pct_max" real null, "dns_failure_pct_mean" real null, "dns_failure_pct_min" real null, "endpoint_id" int not null, "hour" timestamptz(3) not null, "latency_ms_count" int null, "latency_ms_max" real null, "latency_ms_mean" real null, "latency_ms_min" real null, "log_errors_count" int null, "log_errors_max" real null, "log_errors_mean" real null, "log_errors_min" real null, "memory_pct_count" int null, "memory_pct_max" real null, "memory_pct_mean" real null, "memory_pct_min" real null, "packet_loss_pct_count" int null, "packet_loss_pct_max" real null, "packet_loss_pct_mean" real null, "packet_loss_pct_min" real null, "reachable_pct_count" int null, "reachable_pct_max" real null, "reachable_pct_mean" real null, "reachable_pct_min" real null, "samples" int not null, "services_down_count" int null, "services_down_max" real null, "services_down_mean" real null, "services_down_min" real null, primary key ("endpoint_id", "hour"));`,
    );

    this.addSql(`drop table if exists "sample_block" cascade;`);
  }
}
