import { Migration } from '@mikro-orm/migrations';

export class Migration20261128075323_owner_remedies extends Migration {
  override name = 'Migration20261128075323_owner_remedies';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "owner_remedy" ("id" varchar(255) not null, "alert_id" int not null, "alert_name" varchar(255) not null, "endpoint_id" int not null, "hostname" varchar(255) not null, "email" varchar(255) not null, "day" varchar(10) null, "time_zone" varchar(255) not null, "status" varchar(255) not null, "preview_id" varchar(255) null, "remediation_id" varchar(255) null, "run_at" timestamptz(3) null, "consent" jsonb null, "created_at" timestamptz(3) not null, "answered_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "owner_remedy_status" on "owner_remedy" ("status");`);
    this.addSql(`create index "owner_remedy_problem" on "owner_remedy" ("endpoint_id", "alert_name", "created_at");`);
    this.addSql(`create index "owner_remedy_remediation" on "owner_remedy" ("remediation_id");`);
    this.addSql(`create index "owner_remedy_preview" on "owner_remedy" ("preview_id");`);
    this.addSql(`alter table "owner_remedy" add constraint "owner_remedy_one_a_day" unique ("email", "day");`);

    this.addSql(
      `create table "owner_remedy_opt_out" ("email" varchar(255) not null, "opted_out_at" timestamptz(3) not null, primary key ("email"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "owner_remedy" cascade;`);
    this.addSql(`drop table if exists "owner_remedy_opt_out" cascade;`);
  }
}
