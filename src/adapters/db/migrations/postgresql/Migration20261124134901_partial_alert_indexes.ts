import { Migration } from '@mikro-orm/migrations';

export class Migration20261124134901_partial_alert_indexes extends Migration {
  override name = 'Migration20261124134901_partial_alert_indexes';

  override up(): void | Promise<void> {
    this.addSql(`drop index "alert_acknowledged";`);
    this.addSql(`drop index "alert_resolved";`);
    this.addSql(`create index "alert_acknowledged" on "alert" ("acknowledged_at") where acknowledged_at is not null;`);
    this.addSql(`create index "alert_resolved" on "alert" ("resolved_at") where resolved_at is not null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "alert_acknowledged";`);
    this.addSql(`drop index "alert_resolved";`);
    this.addSql(`create index "alert_acknowledged" on "alert" ("acknowledged_at");`);
    this.addSql(`create index "alert_resolved" on "alert" ("resolved_at");`);
  }
}
