import { Migration } from '@mikro-orm/migrations';

export class Migration20261127232756_api_key_holder extends Migration {
  override name = 'Migration20261127232756_api_key_holder';

  override up(): void | Promise<void> {
    this.addSql(`alter table \`api_key\` add column \`holder\` text not null default 'agent';`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table \`api_key\` drop column \`holder\`;`);
  }
}
