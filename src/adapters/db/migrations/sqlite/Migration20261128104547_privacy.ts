import { Migration } from '@mikro-orm/migrations';

export class Migration20261128104547_privacy extends Migration {
  override name = 'Migration20261128104547_privacy';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`collection_pause\` (\`endpoint_id\` integer not null primary key, \`from_at\` datetime not null, \`until_at\` datetime not null);`,
    );

    this.addSql(
      `create table \`machine_access\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`day\` text not null, \`role\` text not null, \`via\` text not null, \`tool\` text not null, \`times\` integer not null);`,
    );
    this.addSql(`create index \`machine_access_day\` on \`machine_access\` (\`day\`);`);
    this.addSql(
      `create unique index \`machine_access_once\` on \`machine_access\` (\`endpoint_id\`, \`day\`, \`role\`, \`via\`, \`tool\`);`,
    );

    this.addSql(
      `create table \`reveal\` (\`id\` text not null primary key, \`endpoint_id\` integer not null, \`hostname\` text not null, \`owner_email\` text null, \`requested_by\` text not null, \`approved_by\` text null, \`role\` text not null, \`reason\` text not null, \`requested_at\` datetime not null, \`minutes\` integer not null, \`starts_at\` datetime null, \`ends_at\` datetime null);`,
    );
    this.addSql(`create index \`reveal_endpoint\` on \`reveal\` (\`endpoint_id\`, \`requested_at\`);`);
    this.addSql(`create index \`reveal_ends\` on \`reveal\` (\`ends_at\`);`);
    this.addSql(`create index \`reveal_requested\` on \`reveal\` (\`requested_at\`);`);

    this.addSql(`create index \`owner_remedy_alert\` on \`owner_remedy\` (\`alert_id\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`collection_pause\`;`);
    this.addSql(`drop table if exists \`machine_access\`;`);
    this.addSql(`drop table if exists \`reveal\`;`);

    this.addSql(`drop index \`owner_remedy_alert\`;`);
  }
}
