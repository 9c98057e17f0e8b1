import { Migration } from '@mikro-orm/migrations';

export class Migration20261128112241_owner_reports extends Migration {
  override name = 'Migration20261128112241_owner_reports';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`owner_report\` (\`email\` text not null primary key, \`wanted_at\` datetime not null, \`sent_for\` text null);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`owner_report\`;`);
  }
}
