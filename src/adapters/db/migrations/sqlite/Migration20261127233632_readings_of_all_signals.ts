import { Migration } from '@mikro-orm/migrations';

export class Migration20261127233632_readings_of_all_signals extends Migration {
  override name = 'Migration20261127233632_readings_of_all_signals';

  override up(): void | Promise<void> {
    this.addSql(`alter table \`snapshot\` add column \`readings\` json null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table \`snapshot\` drop column \`readings\`;`);
  }
}
