import { Migration } from '@mikro-orm/migrations';

export class Migration20261128011142_enrolments extends Migration {
  override name = 'Migration20261128011142_enrolments';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`agent\` (\`endpoint_id\` integer not null primary key autoincrement, \`enrolment_id\` integer null, \`previous_token_digest\` text null, \`token_issued_at\` datetime not null, \`version\` text null, \`enrolled_at\` datetime not null);`,
    );
    this.addSql(`create index \`agent_previous_token\` on \`agent\` (\`previous_token_digest\`);`);

    this.addSql(
      `create table \`agent_release\` (\`version\` text not null primary key, \`offered_at\` datetime not null, \`rolled_back\` integer not null);`,
    );

    this.addSql(
      `create table \`enrolment\` (\`id\` integer not null primary key autoincrement, \`digest\` text not null, \`tags\` json not null, \`persona\` text not null, \`criticality_tier\` integer not null, \`owner_rule\` text null, \`expires_at\` datetime not null, \`max_machines\` integer not null, \`machines\` integer not null, \`created_by\` text not null, \`created_at\` datetime not null, \`last_used_at\` datetime null, \`revoked_at\` datetime null);`,
    );
    this.addSql(`create unique index \`enrolment_digest\` on \`enrolment\` (\`digest\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`agent\`;`);
    this.addSql(`drop table if exists \`agent_release\`;`);
    this.addSql(`drop table if exists \`enrolment\`;`);
  }
}
