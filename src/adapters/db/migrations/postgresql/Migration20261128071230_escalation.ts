import { Migration } from '@mikro-orm/migrations';

export class Migration20261128071230_escalation extends Migration {
  override name = 'Migration20261128071230_escalation';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "escalation" ("subject" varchar(255) not null, "policy" varchar(255) not null, "began_at" timestamptz(3) not null, "steps_done" int not null, "notified" jsonb not null, "next_at" timestamptz(3) null, "ended_at" timestamptz(3) null, primary key ("subject"));`,
    );
    this.addSql(`create index "escalation_due" on "escalation" ("ended_at", "next_at");`);

    this.addSql(
      `create table "on_call_override" ("id" varchar(255) not null, "rotation" varchar(255) not null, "person_id" varchar(255) not null, "person_name" varchar(255) null, "from_at" timestamptz(3) not null, "until_at" timestamptz(3) not null, "set_by" varchar(255) not null, primary key ("id"));`,
    );
    this.addSql(`create index "on_call_override_until" on "on_call_override" ("until_at");`);

    this.addSql(`create index "slack_message_place" on "slack_message" ("channel", "ts");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "escalation" cascade;`);
    this.addSql(`drop table if exists "on_call_override" cascade;`);

    this.addSql(`drop index "slack_message_place";`);
  }
}
