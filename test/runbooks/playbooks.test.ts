/** The shipped playbooks and the configuration that names them: what can be told without running Ansible. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TicketMappingFile } from '../../src/core/alerts/ticketMapping.ts';
import { RemediationFile } from '../../src/core/healing/remediationMap.ts';
import { names, playbookNames, readText, readYaml } from './shipped.ts';

/** Modules that the playbooks may use: all are in Debian's package and none passes its arguments to a shell. */
const MODULES = [
  'ansible.builtin.assert',
  'ansible.builtin.command',
  'ansible.builtin.debug',
  'ansible.builtin.fail',
  'ansible.builtin.find',
  'ansible.builtin.pause',
  'ansible.builtin.service',
  'ansible.builtin.set_fact',
  'ansible.builtin.set_stats',
  'ansible.builtin.wait_for_connection',
  'ansible.windows.win_command',
  'ansible.windows.win_powershell',
  'ansible.windows.win_service',
  'ansible.windows.win_service_info',
];

const taskShape = z.record(z.string(), z.unknown());
type Task = z.infer<typeof taskShape>;
const playShape = z.looseObject({
  name: z.string(),
  hosts: z.literal('all'),
  gather_facts: z.literal(true),
  tasks: z.array(taskShape).min(1),
});
const playbookShape = z.tuple([playShape]);

const isModule = (key: string): boolean => key.includes('.');

/** Every task of a play, those inside blocks and rescues too. */
function allTasks(tasks: Task[]): Task[] {
  return tasks.flatMap((task) => {
    const inner = ['block', 'rescue', 'always'].flatMap((part) => z.array(taskShape).parse(task[part] ?? []));
    return inner.length > 0 ? [task, ...allTasks(inner)] : [task];
  });
}

const playbooks = playbookNames().map((name) => {
  const [play] = playbookShape.parse(readYaml(`runbooks/playbooks/${name}.yml`));
  return { name, play, tasks: allTasks(play.tasks) };
});

const remediation = RemediationFile.parse(readYaml('config/dex_remediation_map.yaml')).map;

describe('playbooks', () => {
  it('include the two that the actions restart and clear_cache stand for', () =>
    expect(playbookNames()).toEqual(expect.arrayContaining(['restart_service', 'clear_cache', 'cleanup_disk'])));

  describe.each(playbooks)('$name', ({ name, play, tasks }) => {
    it('has a file name that the remediation map may hold', () => expect(name).toMatch(/^[a-z][a-z0-9_]*$/));

    it('names every task and uses one known module in each', () => {
      for (const task of tasks) {
        expect(task, 'a task without a name').toHaveProperty('name');
        const modules = Object.keys(task).filter(isModule);
        if (!('block' in task)) expect(modules, String(task.name)).toHaveLength(1);
        for (const module of modules) expect(MODULES).toContain(module);
      }
    });

    it('runs commands as argument lists, and on Windows without any template', () => {
      for (const task of tasks) {
        const command = task['ansible.builtin.command'];
        if (command !== undefined) expect(command, String(task.name)).toHaveProperty('argv');
        const windows = task['ansible.windows.win_command'];
        if (windows !== undefined) expect(windows).not.toMatch(/{[{%]/);
        const powershell = task['ansible.windows.win_powershell'];
        if (powershell !== undefined)
          expect(z.looseObject({ script: z.string() }).parse(powershell).script).not.toMatch(/{[{%]/);
      }
    });

    it('checks every variable that a caller may set before it acts', () => {
      const first = play.tasks[0];
      for (const variable of Object.keys(z.record(z.string(), z.unknown()).parse(play.vars ?? {})))
        expect(JSON.stringify(first?.['ansible.builtin.assert']), variable).toContain(variable);
    });

    it('becomes another user only where the login is not root already', () => {
      for (const task of tasks) if ('become' in task) expect(task.become).toBe("{{ ansible_facts.user_id != 'root' }}");
      expect(play).not.toHaveProperty('become');
    });
  });

  it('follow no link and leave no file system when they delete', () => {
    const deleting = playbooks
      .flatMap(({ tasks }) => tasks)
      .filter((task) => JSON.stringify(task['ansible.builtin.command'] ?? '').includes("'find'"))
      .filter((task) => String(task.name).startsWith('Delete'));
    expect(deleting.length).toBeGreaterThanOrEqual(4);
    for (const task of deleting) {
      const text = JSON.stringify(task['ansible.builtin.command']);
      expect(text).toContain("'-xdev'");
      expect(text).toMatch(/'-type', *'f'/);
      expect(text).not.toMatch(/'-[LH]'|-follow/);
    }
  });
});

describe('the restart playbook', () => {
  const assertion = JSON.stringify(
    playbooks.find(({ name }) => name === 'restart_service')?.play.tasks[0]?.['ansible.builtin.assert'],
  );
  const [allowed, refused] = [...assertion.matchAll(/match\('(.*?)'\)/g)].map((match) => new RegExp(match[1]!));
  const accepts = (service: string) => allowed!.test(service) && !refused!.test(service.toLowerCase());

  it.each(['cron', 'cups.service', 'openvpn-client@office', 'com.docker.vmnetd', 'Spooler', 'W32Time'])(
    'takes %s',
    (service) => expect(accepts(service)).toBe(true),
  );
  it.each([
    '',
    'x; rm -rf /',
    '../../etc/passwd',
    '-h',
    'a b',
    '$(id)',
    '{{ 1 }}',
    'gdm3',
    'dbus',
    'user@1000.service',
    'RpcSs',
  ])('refuses %j', (service) => expect(accepts(service)).toBe(false));
});

describe('the remediation map', () => {
  it('holds the alerts of the guide as the guide shows them', () => {
    expect(remediation.get('DiskFull')).toMatchObject({
      action: 'ansible',
      playbook: 'cleanup_disk',
      requiresApproval: false,
    });
    expect(remediation.get('ServiceDown')).toMatchObject({ action: 'restart', service: '{{ labels.service }}' });
    expect(remediation.get('HighMemory')).toMatchObject({ action: 'ansible', playbook: 'clear_cache' });
    expect(remediation.get('KernelPanic')).toMatchObject({ action: 'ticket', severity: 'critical' });
  });

  it.each([...remediation])('gives %s what its action needs', (_alert, entry) => {
    if (entry.action === 'ansible') expect(playbookNames()).toContain(entry.playbook);
    if (entry.action !== 'ticket') {
      expect(entry.cooldownMs).toBeDefined();
      expect(entry.maxPerDay).toBeDefined();
    }
    for (const [, inside] of (entry.service ?? '').matchAll(/{{(.*?)}}/g))
      expect(inside).toMatch(/^ (labels|endpoint|alert)\.[a-z_]+ $/);
  });
});

describe('ticket mappings', () => {
  const FIELDS =
    'id event title description severity hostname alert_id alert_name owner_email persona criticality_tier comment created_at url'.split(
      ' ',
    );
  const AFTERWARDS = [...FIELDS, 'external_id', 'external_ref'];
  it.each([
    ['jira', 'https://acme.atlassian.net/rest/api/3/issue'],
    ['servicenow', 'https://acme.service-now.com/api/now/table/incident'],
    ['linear', 'https://api.linear.app/graphql'],
  ])('%s is meant by its own address only and uses known fields', (name, url) => {
    const mapping = TicketMappingFile.parse(readYaml(`config/ticket_mappings/${name}.yaml`));
    expect(mapping.name).toBe(name);
    const { target } = mapping;
    expect(target.source).toMatch(/^\^https:.*\$$/);
    expect(target.test(url)).toBe(true);
    expect(target.test(url.replace('https://', 'https://evil.example/'))).toBe(false);
    expect(target.test(url.replace(/\.(net|com|app)/, '-$1'))).toBe(false);

    const unknown = (body: unknown, fields: string[]) => {
      const used = [...JSON.stringify(body).matchAll(/{{ ticket\.(.*?) }}/g)].map((match) => match[1] as string);
      expect(used.length).toBeGreaterThan(1);
      return used.filter((field) => !fields.includes(field));
    };
    expect(unknown(mapping.body, [...FIELDS, ...Object.keys(mapping.derive)])).toEqual([]);
    const { update } = mapping;
    expect(unknown(update.body, [...AFTERWARDS, ...Object.keys(update.derive)])).toEqual([]);
    expect(Object.values(update.derive).map(({ from, values }) => [from, Object.keys(values).sort()])).toEqual([
      ['event', ['reopened', 'resolved']],
    ]);
    for (const { from, values } of Object.values(mapping.derive))
      if (from === 'severity') expect(Object.keys(values).sort()).toEqual(['critical', 'info', 'warning']);
  });

  it('are all listed above', () =>
    expect(names('config/ticket_mappings', '.yaml').sort()).toEqual(['jira', 'linear', 'servicenow']));

  it('hold no secret', () => {
    for (const name of names('config/ticket_mappings', '.yaml'))
      expect(readText(`config/ticket_mappings/${name}.yaml`)).not.toMatch(/(Basic|Bearer) [A-Za-z0-9+/=]{12,}/);
  });
});
