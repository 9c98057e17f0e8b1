import { Migration } from '@mikro-orm/migrations';

export class Migration20261127232802_alert_series_starts extends Migration {
  override name = 'Migration20261127232802_alert_series_starts';

  override up(): void | Promise<void> {
    this.addSql(`alter table \`alert\` add column \`series_starts_ms\` json not null default '[]';`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table \`alert\` drop column \`series_starts_ms\`;`);
  }
}
