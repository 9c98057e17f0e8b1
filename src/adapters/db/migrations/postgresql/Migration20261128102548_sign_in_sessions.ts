import { Migration } from '@mikro-orm/migrations';

export class Migration20261128102548_sign_in_sessions extends Migration {
  override name = 'Migration20261128102548_sign_in_sessions';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "sign_in_session" ("id" serial primary key, "digest" varchar(64) not null, "subject" varchar(255) not null, "name" varchar(255) not null, "email" varchar(320) null, "groups" jsonb not null, "channel" varchar(255) not null, "client" varchar(255) not null, "refresh_token" text null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "last_used_at" timestamptz(3) not null, "confirmed_at" timestamptz(3) not null, "confirm_after" timestamptz(3) not null);`,
    );
    this.addSql(`create index "sign_in_session_subject" on "sign_in_session" ("subject");`);
    this.addSql(`create index "sign_in_session_email" on "sign_in_session" ("email");`);
    this.addSql(`create index "sign_in_session_expiry" on "sign_in_session" ("expires_at");`);
    this.addSql(`alter table "sign_in_session" add constraint "sign_in_session_digest" unique ("digest");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "sign_in_session" cascade;`);
  }
}
