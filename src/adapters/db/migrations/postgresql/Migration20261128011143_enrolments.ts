import { Migration } from '@mikro-orm/migrations';

export class Migration20261128011143_enrolments extends Migration {
  override name = 'Migration20261128011143_enrolments';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "agent" ("endpoint_id" serial primary key, "enrolment_id" int null, "previous_token_digest" varchar(64) null, "token_issued_at" timestamptz(3) not null, "version" varchar(255) null, "enrolled_at" timestamptz(3) not null);`,
    );
    this.addSql(`create index "agent_previous_token" on "agent" ("previous_token_digest");`);

    this.addSql(
      `create table "agent_release" ("version" varchar(255) not null, "offered_at" timestamptz(3) not null, "rolled_back" int not null, primary key ("version"));`,
    );

    this.addSql(
      `create table "enrolment" ("id" serial primary key, "digest" varchar(64) not null, "tags" jsonb not null, "persona" varchar(255) not null, "criticality_tier" int not null, "owner_rule" varchar(255) null, "expires_at" timestamptz(3) not null, "max_machines" int not null, "machines" int not null, "created_by" varchar(255) not null, "created_at" timestamptz(3) not null, "last_used_at" timestamptz(3) null, "revoked_at" timestamptz(3) null);`,
    );
    this.addSql(`alter table "enrolment" add constraint "enrolment_digest" unique ("digest");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "agent" cascade;`);
    this.addSql(`drop table if exists "agent_release" cascade;`);
    this.addSql(`drop table if exists "enrolment" cascade;`);
  }
}
