import { Migration } from '@mikro-orm/migrations';

export class Migration20261128002313_who_carries_out extends Migration {
  override name = 'Migration20261128002313_who_carries_out';

  override up(): void | Promise<void> {
    this.addSql(`alter table \`approval\` add column \`worker_id\` text null;`);

    this.addSql(`alter table \`remediation\` add column \`began_at\` datetime null;`);
    // Of what an earlier version left running nobody knows whether its playbook had begun.
    this.addSql(`update \`remediation\` set \`began_at\` = \`started_at\` where \`status\` = 'running';`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table \`approval\` drop column \`worker_id\`;`);

    this.addSql(`alter table \`remediation\` drop column \`began_at\`;`);
  }
}
