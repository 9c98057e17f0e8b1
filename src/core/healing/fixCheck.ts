/** "Did that fix it?": what an owner can answer after a remediation. */
import type { RelatedCall } from '../presentation.ts';

export function fixCheckAnswers(remediation_id: string): RelatedCall[] {
  const answer = { tool: 'answer_fix_check' };
  return [
    { ...answer, id: 'fixed', label: 'Yes', style: 'primary', input: { remediation_id, fixed: true } },
    { ...answer, id: 'not_fixed', label: 'No, it is still there', input: { remediation_id, fixed: false } },
  ];
}
