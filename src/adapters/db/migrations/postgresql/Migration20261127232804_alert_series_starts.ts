import { Migration } from '@mikro-orm/migrations';

export class Migration20261127232804_alert_series_starts extends Migration {
  override name = 'Migration20261127232804_alert_series_starts';

  override up(): void | Promise<void> {
    this.addSql(`alter table "alert" add "series_starts_ms" jsonb not null default '[]';`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "alert" drop column "series_starts_ms";`);
  }
}
