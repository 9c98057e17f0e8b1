import { Migration } from '@mikro-orm/migrations';
import { canonicalIp } from '../../../../domain/fleet/ipAddress.ts';

export class Migration20261127230639_endpoint_aliases extends Migration {
  override name = 'Migration20261127230639_endpoint_aliases';

  override async up(): Promise<void> {
    this.addSql(
      `create table \`endpoint_alias\` (\`id\` integer not null primary key autoincrement, \`endpoint_id\` integer not null, \`kind\` text not null, \`value\` text not null, \`source\` text not null, \`added_at\` datetime not null);`,
    );
    this.addSql(`create index \`endpoint_alias_value\` on \`endpoint_alias\` (\`value\`);`);
    this.addSql(`create unique index \`endpoint_alias_once\` on \`endpoint_alias\` (\`endpoint_id\`, \`value\`);`);
    this.addSql(
      `insert into endpoint_alias (endpoint_id, kind, value, source, added_at)
       select id, 'name', substr(hostname, 1, instr(hostname, '.') - 1), 'derived', registered_at
       from endpoint where deregistered_at is null and hostname like '%.%';`,
    );
    // Addresses were kept as they were typed; from now on they are found by their canonical form only.
    const rows = await this.execute("select id, ip_address from endpoint where ip_address like '%:%'");
    for (const { id, ip_address } of rows) {
      const canonical = canonicalIp(String(ip_address));
      if (canonical !== null && canonical !== ip_address)
        this.addSql(`update endpoint set ip_address = '${canonical}' where id = ${Number(id)};`);
    }
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists \`endpoint_alias\`;`);
  }
}
