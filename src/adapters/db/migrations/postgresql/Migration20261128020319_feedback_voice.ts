import { Migration } from '@mikro-orm/migrations';

export class Migration20261128020319_feedback_voice extends Migration {
  override name = 'Migration20261128020319_feedback_voice';

  override up(): void | Promise<void> {
    this.addSql(`alter table "feedback" add "voice" varchar(255) null;`);
    this.addSql(`alter table "feedback" add constraint "feedback_voice" unique ("voice");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "feedback" drop constraint "feedback_voice";`);
    this.addSql(`alter table "feedback" drop column "voice";`);
  }
}
