import { Migration } from '@mikro-orm/migrations';

export class Migration20261128104548_privacy extends Migration {
  override name = 'Migration20261128104548_privacy';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "collection_pause" ("endpoint_id" int not null, "from_at" timestamptz(3) not null, "until_at" timestamptz(3) not null, primary key ("endpoint_id"));`,
    );

    this.addSql(
      `create table "machine_access" ("id" serial primary key, "endpoint_id" int not null, "day" varchar(10) not null, "role" varchar(255) not null, "via" varchar(255) not null, "tool" varchar(255) not null, "times" int not null);`,
    );
    this.addSql(`create index "machine_access_day" on "machine_access" ("day");`);
    this.addSql(
      `alter table "machine_access" add constraint "machine_access_once" unique ("endpoint_id", "day", "role", "via", "tool");`,
    );

    this.addSql(
      `create table "reveal" ("id" varchar(255) not null, "endpoint_id" int not null, "hostname" varchar(253) not null, "owner_email" varchar(255) null, "requested_by" varchar(255) not null, "approved_by" varchar(255) null, "role" varchar(255) not null, "reason" text not null, "requested_at" timestamptz(3) not null, "minutes" int not null, "starts_at" timestamptz(3) null, "ends_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "reveal_endpoint" on "reveal" ("endpoint_id", "requested_at");`);
    this.addSql(`create index "reveal_ends" on "reveal" ("ends_at");`);
    this.addSql(`create index "reveal_requested" on "reveal" ("requested_at");`);

    this.addSql(`create index "owner_remedy_alert" on "owner_remedy" ("alert_id");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "collection_pause" cascade;`);
    this.addSql(`drop table if exists "machine_access" cascade;`);
    this.addSql(`drop table if exists "reveal" cascade;`);

    this.addSql(`drop index "owner_remedy_alert";`);
  }
}
