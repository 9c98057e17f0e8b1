import { Migration } from '@mikro-orm/migrations';

export class Migration20261128020316_feedback_voice extends Migration {
  override name = 'Migration20261128020316_feedback_voice';

  override up(): void | Promise<void> {
    this.addSql(`alter table \`feedback\` add column \`voice\` text null;`);
    this.addSql(`create unique index \`feedback_voice\` on \`feedback\` (\`voice\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index \`feedback_voice\`;`);
    this.addSql(`alter table \`feedback\` drop column \`voice\`;`);
  }
}
