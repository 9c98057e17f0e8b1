import { Migration } from '@mikro-orm/migrations';

export class Migration20261128103233_privacy extends Migration {
  override name = 'Migration20261128103233_privacy';

  override up(): void | Promise<void> {
    this.addSql(`create index "owner_remedy_alert" on "owner_remedy" ("alert_id");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "owner_remedy_alert";`);
  }
}
