import { Migration } from '@mikro-orm/migrations';

export class Migration20261128112242_owner_reports extends Migration {
  override name = 'Migration20261128112242_owner_reports';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "owner_report" ("email" varchar(255) not null, "wanted_at" timestamptz(3) not null, "sent_for" varchar(7) null, primary key ("email"));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "owner_report" cascade;`);
  }
}
