/** What is kept: for each table, what stands in it about whom, what for, for how long, and who gets it. */
import type { KEPT_DAYS } from '../processes/retention.ts';

/** `no`: about nobody; `pseudonymous`: about a machine, and so about whoever has it; `yes`: about a person. */
export type About = 'no' | 'pseudonymous' | 'yes';

/** Who may get to see it. */
export const RECIPIENTS = {
  person: 'the person themself',
  staff: 'IT staff by role',
  admin: 'administrators',
  channel: 'members of the alert channel in Slack',
  tickets: 'the ticket system',
  model: 'the model provider',
} as const;
type Recipient = keyof typeof RECIPIENTS;

export interface StoredThing {
  what: string;
  purpose: string;
  about: About;
  /** A kind that is forgotten after its days, or how long in words. */
  kept: keyof typeof KEPT_DAYS | 'as samples' | { text: string };
  recipients: readonly Recipient[];
}

const WHILE_REGISTERED = { text: 'while the machine is registered, then as endpoints' };
const SERVICE_ONLY = { text: 'while the service needs it' };

/** By table. A table without an entry fails a test. */
export const STORED: Readonly<Record<string, StoredThing>> = {
  endpoint: {
    what: 'Machines: name, address, owner, role of its user, tags',
    purpose: 'To know which machine a measurement, an alert or a question is about and who has it.',
    about: 'yes',
    kept: 'endpoints',
    recipients: ['person', 'staff', 'channel', 'tickets', 'model'],
  },
  endpoint_alias: {
    what: 'Other names, addresses and serial numbers of machines',
    purpose: 'To recognise a machine under each name that systems use for it.',
    about: 'pseudonymous',
    kept: WHILE_REGISTERED,
    recipients: ['person', 'staff'],
  },
  enrolment: {
    what: 'Permissions for machines to join',
    purpose: 'To let in only machines that somebody wanted.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['admin'],
  },
  agent: {
    what: 'Which agent reports for a machine',
    purpose: 'To let a machine speak for itself alone.',
    about: 'pseudonymous',
    kept: WHILE_REGISTERED,
    recipients: ['staff'],
  },
  agent_release: {
    what: 'Versions of the agent',
    purpose: 'To keep agents current.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['admin'],
  },
  snapshot: {
    what: 'What was measured, by signal',
    purpose: 'To see what makes a machine slow, now and lately.',
    about: 'pseudonymous',
    kept: 'as samples',
    recipients: ['person', 'staff', 'model'],
  },
  score: {
    what: 'Scores of machines',
    purpose: 'To see which machines serve their users badly.',
    about: 'pseudonymous',
    kept: 'as samples',
    recipients: ['person', 'staff', 'channel', 'model'],
  },
  sample_block: {
    what: 'The same, packed by day and as means of hours',
    purpose: 'To compare with last month and last year.',
    about: 'pseudonymous',
    kept: { text: 'as samples one by one; means of hours 396 days' },
    recipients: ['person', 'staff'],
  },
  alert: {
    what: 'Alerts about machines',
    purpose: 'To have somebody mend what hinders the user of a machine.',
    about: 'pseudonymous',
    kept: 'alerts',
    recipients: ['person', 'staff', 'channel', 'tickets', 'model'],
  },
  alert_event: {
    what: 'What happened to alerts, and who did it',
    purpose: 'To prove what was done about a problem.',
    about: 'yes',
    kept: 'alerts',
    recipients: ['person', 'staff', 'channel'],
  },
  prediction: {
    what: 'Predictions about machines',
    purpose: 'To mend a problem before its user notices.',
    about: 'pseudonymous',
    kept: 'predictions',
    recipients: ['person', 'staff', 'channel'],
  },
  prediction_threshold: {
    what: 'How far ahead to warn',
    purpose: 'To warn in time.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['staff'],
  },
  feedback: {
    what: 'Answers of employees that wait to be published',
    purpose: 'To learn how machines serve people.',
    about: 'pseudonymous',
    kept: { text: 'until at least five can be published together' },
    recipients: [],
  },
  feedback_cell: {
    what: 'Counts of answers, never of fewer than five',
    purpose: 'To learn how machines serve people.',
    about: 'no',
    kept: 'feedback_cells',
    recipients: ['staff'],
  },
  feedback_comment: {
    what: 'Comments apart from all other answers',
    purpose: 'To learn in words what hinders people.',
    about: 'pseudonymous',
    kept: 'feedback_comments',
    recipients: ['staff'],
  },
  survey: {
    what: 'Surveys',
    purpose: 'To ask employees no more often than once a month.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['staff'],
  },
  survey_invitation: {
    what: 'Who was asked, never what they answered',
    purpose: 'To ask each person once and remind them once.',
    about: 'yes',
    kept: 'survey_invitations',
    recipients: [],
  },
  survey_seat: {
    what: 'Who may still answer',
    purpose: 'To take one answer a person.',
    about: 'yes',
    kept: { text: 'until the answer, at most until the survey ends' },
    recipients: [],
  },
  survey_person: {
    what: 'When a person was asked last, and whether they want to be',
    purpose: 'To leave people in peace who want that.',
    about: 'yes',
    kept: { text: 'until the person asks for its erasure' },
    recipients: [],
  },
  run: {
    what: 'Questions to agents, scans and their results, with who asked',
    purpose: 'To show who asked what came of it.',
    about: 'yes',
    kept: 'runs',
    recipients: ['person', 'staff', 'model'],
  },
  llm_spend: {
    what: 'What each caller spent on models',
    purpose: 'To hold the budget.',
    about: 'yes',
    kept: { text: '2 days' },
    recipients: [],
  },
  scan_shard: {
    what: 'Parts of a scan of the fleet',
    purpose: 'To share the work.',
    about: 'no',
    kept: { text: 'until the scan ends' },
    recipients: [],
  },
  audit: {
    what: 'Who changed what, when, through which interface',
    purpose: 'To hold people to account who may change machines.',
    about: 'yes',
    kept: 'audit',
    recipients: ['admin'],
  },
  machine_access: {
    what: 'How often which role looked at a machine, by day',
    purpose: 'To tell people who looked at their data.',
    about: 'pseudonymous',
    kept: 'accesses',
    recipients: ['person', 'admin'],
  },
  reveal: {
    what: 'Who was shown whose name, why and for how long',
    purpose: 'To let nobody see a name unnoticed.',
    about: 'yes',
    kept: 'reveals',
    recipients: ['person', 'admin'],
  },
  collection_pause: {
    what: 'Until when a person paused the measuring of their machine',
    purpose: 'To measure nothing while somebody does not want it.',
    about: 'yes',
    kept: { text: 'until the next pause' },
    recipients: ['person'],
  },
  api_key: {
    what: 'Keys of people and programs, as digests',
    purpose: 'To know who calls.',
    about: 'yes',
    kept: { text: 'until it is deleted by hand; revoked ones too, for the audit' },
    recipients: ['admin'],
  },
  sign_in_session: {
    what: 'Who is signed in: name, address and groups at the identity provider, kind of browser, times',
    purpose: 'To know who calls, and to ask the identity provider whether they still may.',
    about: 'yes',
    kept: 'sign_in_sessions',
    recipients: ['person', 'admin'],
  },
  worker: {
    what: 'Processes of the service',
    purpose: 'To share work, and to notice who died.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['staff'],
  },
  job: {
    what: 'When each scheduled job last ran',
    purpose: 'To notice what does not run.',
    about: 'no',
    kept: SERVICE_ONLY,
    recipients: ['staff'],
  },
  runbook_feedback: {
    what: 'Who found which runbook helpful',
    purpose: 'To rank runbooks.',
    about: 'yes',
    kept: { text: 'while the runbook is there' },
    recipients: [],
  },
  outbox: {
    what: 'Messages to Slack, tickets and receivers of alerts',
    purpose: 'To lose no message.',
    about: 'pseudonymous',
    kept: { text: '7 days after it was sent' },
    recipients: ['channel', 'tickets'],
  },
  slack_message: {
    what: 'Where in Slack a thing was posted',
    purpose: 'To edit a message instead of posting another.',
    about: 'pseudonymous',
    kept: 'alerts',
    recipients: [],
  },
  approval: {
    what: 'What was asked for and who approved it',
    purpose: 'To do nothing dangerous without a person.',
    about: 'yes',
    kept: 'approvals',
    recipients: ['staff', 'channel'],
  },
  remediation: {
    what: 'What was done on machines',
    purpose: 'To prove what was changed, and whether it helped.',
    about: 'pseudonymous',
    kept: 'alerts',
    recipients: ['person', 'staff'],
  },
  ticket: {
    what: 'Tickets of alerts',
    purpose: 'To keep the ticket system and alerts alike.',
    about: 'pseudonymous',
    kept: 'alerts',
    recipients: ['staff'],
  },
  ticket_delivery: {
    what: 'Ids of deliveries',
    purpose: 'To know a repeat.',
    about: 'no',
    kept: { text: '7 days' },
    recipients: [],
  },
  unknown_host: {
    what: 'Names in alerts that no machine has',
    purpose: 'To find machines that nobody registered.',
    about: 'pseudonymous',
    kept: { text: 'until the machine is registered' },
    recipients: ['staff'],
  },
  owner_remedy: {
    what: 'What an owner was offered for their machine, and their answer',
    purpose: 'To change nothing on a machine without its owner, and to ask no more than once a day.',
    about: 'yes',
    kept: 'alerts',
    recipients: ['person', 'staff'],
  },
  owner_remedy_opt_out: {
    what: 'Owners who want no such offers',
    purpose: 'To leave people in peace who want that.',
    about: 'yes',
    kept: { text: 'until the person wants offers again or asks for its erasure' },
    recipients: ['person'],
  },
  owner_report: {
    what: 'Owners who want a monthly report of their machines, and the month of the last one',
    purpose: 'To send it to who asked for it, once a month.',
    about: 'yes',
    kept: { text: 'until the person wants none any more or asks for its erasure' },
    recipients: ['person'],
  },
  escalation: {
    what: 'Who of IT was reached about an alert or an approval',
    purpose: 'To reach the next person while nobody answers.',
    about: 'yes',
    kept: { text: '7 days after its end' },
    recipients: ['staff', 'channel'],
  },
  on_call_override: {
    what: 'Who of IT took over being on call, and until when',
    purpose: 'To reach the person who is on call.',
    about: 'yes',
    kept: { text: '7 days after its end' },
    recipients: ['staff'],
  },
  fleet_score: {
    what: 'Mean scores of the fleet',
    purpose: 'To see the course over weeks.',
    about: 'no',
    kept: 'as samples',
    recipients: ['staff'],
  },
  fleet_score_hour: {
    what: 'The same as means of hours',
    purpose: 'To see the course over months.',
    about: 'no',
    kept: { text: '396 days' },
    recipients: ['staff'],
  },
};
