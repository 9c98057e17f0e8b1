import { Migration } from '@mikro-orm/migrations';

export class Migration20261128073953_api_key_selection extends Migration {
  override name = 'Migration20261128073953_api_key_selection';

  override up(): void | Promise<void> {
    this.addSql(`alter table "api_key" add "selection" jsonb null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "api_key" drop column "selection";`);
  }
}
