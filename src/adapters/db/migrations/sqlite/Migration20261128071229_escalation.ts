import { Migration } from '@mikro-orm/migrations';

export class Migration20261128071229_escalation extends Migration {
  override name = 'Migration20261128071229_escalation';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`escalation\` (\`subject\` text not null primary key, \`policy\` text not null, \`began_at\` datetime not null, \`steps_done\` integer not null, \`notified\` json not null, \`next_at\` datetime null, \`ended_at\` datetime null);`,
    );
    this.addSql(`create index \`escalation_due\` on \`escalation\` (\`ended_at\`, \`next_at\`);`);

    this.addSql(
      `create table \`on_call_override\` (\`id\` text not null primary key, \`rotation\` text not null, \`person_id\` text not null, \`person_name\` text null, \`from_at\` datetime not null, \`until_at\` datetime not null, \`set_by\` text not null);`,
    );
    this.addSql(`create index \`on_call_override_until\` on \`on_call_override\` (\`until_at\`);`);

    this.addSql(`create index \`slack_message_place\` on \`slack_message\` (\`channel\`, \`ts\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`escalation\`;`);
    this.addSql(`drop table if exists \`on_call_override\`;`);

    this.addSql(`drop index \`slack_message_place\`;`);
  }
}
