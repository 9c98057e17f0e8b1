import { Migration } from '@mikro-orm/migrations';

export class Migration20261127233634_readings_of_all_signals extends Migration {
  override name = 'Migration20261127233634_readings_of_all_signals';

  override up(): void | Promise<void> {
    this.addSql(`alter table "snapshot" add "readings" jsonb null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "snapshot" drop column "readings";`);
  }
}
