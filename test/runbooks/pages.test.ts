/** The shipped runbook pages keep one form, so that search, cards and people at night find everything in its place. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { playbookNames, readPages, readYaml } from './shipped.ts';

const SECTIONS = ['Symptoms', 'Impact', 'Diagnosis', 'Fix', 'Verification', 'Escalation'];
const PLATFORMS = ['linux', 'macos', 'windows'] as const;
/** What scans raise by config/dex_score.yaml, the score's own alert, and what forecasts raise. */
const OUR_ALERTS = [
  ...z
    .object({ alerts: z.array(z.object({ name: z.string() })) })
    .parse(readYaml('config/dex_score.yaml'))
    .alerts.map(({ name }) => name),
  'LowDexScore',
  'MemoryLeak',
  'SustainedHighCPU',
];

const remediationMap = () =>
  z.object({ remediation_map: z.record(z.string(), z.unknown()) }).parse(readYaml('config/dex_remediation_map.yaml'))
    .remediation_map;

const frontMatterShape = z.strictObject({
  title: z.string().min(8).max(60),
  alerts: z.array(z.string().regex(/^[A-Z][A-Za-z0-9]+$/)).min(1),
  platforms: z.array(z.enum(PLATFORMS)).min(1),
  severity: z.enum(['info', 'warning', 'critical']),
  playbook: z.string().optional(),
});

const pages = readPages().map((page) => ({ ...page, ...frontMatterShape.parse(page.frontMatter) }));

describe('runbook pages', () => {
  it('are there in number', () => expect(pages.length).toBeGreaterThanOrEqual(28));

  it('have unique titles', () => expect(new Set(pages.map((page) => page.title)).size).toBe(pages.length));

  it('cover each alert on each platform by at most one page, and each of ours on the platforms that can raise it', () => {
    const covers = (alert: string, platform: (typeof PLATFORMS)[number]) =>
      pages.filter((page) => page.alerts.includes(alert) && page.platforms.includes(platform)).map((page) => page.id);
    for (const platform of PLATFORMS) {
      for (const alert of new Set(pages.flatMap((page) => page.alerts)))
        expect(covers(alert, platform).length, `${alert} on ${platform}`).toBeLessThanOrEqual(1);
    }
    expect(OUR_ALERTS.length).toBeGreaterThan(30);
    for (const alert of OUR_ALERTS)
      expect(
        PLATFORMS.flatMap((platform) => covers(alert, platform)),
        alert,
      ).not.toHaveLength(0);
  });

  it('have an entry in the remediation map for each of our alerts, so that it is known who takes it', () => {
    expect(OUR_ALERTS.filter((alert) => !(alert in remediationMap()))).toEqual([]);
  });

  it('cover every alert of the remediation map', () => {
    const covered = new Set(pages.flatMap((page) => page.alerts));
    expect(Object.keys(remediationMap()).filter((alert) => !covered.has(alert))).toEqual([]);
  });

  describe.each(pages)('$id', (page) => {
    it('has the sections, each once, in order, none empty', () => {
      const sections = page.body.split(/^## /m);
      expect(sections[0]?.trim()).toBe('');
      expect(sections.slice(1).map((section) => section.split('\n')[0])).toEqual(SECTIONS);
      for (const section of sections.slice(1)) expect(section.split('\n').slice(1).join('').trim()).not.toBe('');
    });

    it('closes its code blocks and shows at least one command', () => {
      expect(page.body.match(/^```/gm)?.length ?? 0).toSatisfy((fences: number) => fences % 2 === 0);
      expect(page.body).toMatch(/```(sh|powershell)\n|`[a-z]+ [^`]+`/);
    });

    it('names a playbook that exists, if any', () => {
      if (page.playbook !== undefined) expect(playbookNames()).toContain(page.playbook);
    });

    it('warns before what cannot be undone', () => {
      const destructive = /rm -rf|--volumes|luksFormat|-delete\b|swapoff|postsuper -d|kill -9|chkdsk/;
      const lines = page.body.split('\n');
      for (const [at, line] of lines.entries())
        if (destructive.test(line))
          expect(lines.slice(Math.max(0, at - 1), at + 1).join('\n'), line).toContain('**Warning:**');
    });
  });
});
