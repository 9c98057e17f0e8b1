import { Migration } from '@mikro-orm/migrations';

export class Migration20261128075322_owner_remedies extends Migration {
  override name = 'Migration20261128075322_owner_remedies';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`owner_remedy\` (\`id\` text not null primary key, \`alert_id\` integer not null, \`alert_name\` text not null, \`endpoint_id\` integer not null, \`hostname\` text not null, \`email\` text not null, \`day\` text null, \`time_zone\` text not null, \`status\` text not null, \`preview_id\` text null, \`remediation_id\` text null, \`run_at\` datetime null, \`consent\` json null, \`created_at\` datetime not null, \`answered_at\` datetime null);`,
    );
    this.addSql(`create index \`owner_remedy_status\` on \`owner_remedy\` (\`status\`);`);
    this.addSql(
      `create index \`owner_remedy_problem\` on \`owner_remedy\` (\`endpoint_id\`, \`alert_name\`, \`created_at\`);`,
    );
    this.addSql(`create index \`owner_remedy_remediation\` on \`owner_remedy\` (\`remediation_id\`);`);
    this.addSql(`create index \`owner_remedy_preview\` on \`owner_remedy\` (\`preview_id\`);`);
    this.addSql(`create unique index \`owner_remedy_one_a_day\` on \`owner_remedy\` (\`email\`, \`day\`);`);

    this.addSql(
      `create table \`owner_remedy_opt_out\` (\`email\` text not null primary key, \`opted_out_at\` datetime not null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`owner_remedy\`;`);
    this.addSql(`drop table if exists \`owner_remedy_opt_out\`;`);
  }
}
