import { Migration } from '@mikro-orm/migrations';

export class Migration20261128102547_sign_in_sessions extends Migration {
  override name = 'Migration20261128102547_sign_in_sessions';

  override up(): void | Promise<void> {
    this.addSql(
      `create table \`sign_in_session\` (\`id\` integer not null primary key autoincrement, \`digest\` text not null, \`subject\` text not null, \`name\` text not null, \`email\` text null, \`groups\` json not null, \`channel\` text not null, \`client\` text not null, \`refresh_token\` text null, \`created_at\` datetime not null, \`expires_at\` datetime not null, \`last_used_at\` datetime not null, \`confirmed_at\` datetime not null, \`confirm_after\` datetime not null);`,
    );
    this.addSql(`create index \`sign_in_session_subject\` on \`sign_in_session\` (\`subject\`);`);
    this.addSql(`create index \`sign_in_session_email\` on \`sign_in_session\` (\`email\`);`);
    this.addSql(`create index \`sign_in_session_expiry\` on \`sign_in_session\` (\`expires_at\`);`);
    this.addSql(`create unique index \`sign_in_session_digest\` on \`sign_in_session\` (\`digest\`);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`sign_in_session\`;`);
  }
}
