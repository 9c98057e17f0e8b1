/** What the voice of employees needs from outside: where answers and surveys are kept, and who people are. */
import type { Cell, FeedbackAnswer, FeedbackSource } from '../../domain/people/confidentiality.ts';
import type { FeedbackCategory } from '../../domain/people/enps.ts';
import type { Invitation, Survey } from '../../domain/people/survey.ts';

export interface StoredCell extends Cell {
  source: FeedbackSource;
  /** The day on which it was published, `2026-03-02`. */
  on: string;
}

export interface Comment {
  category: FeedbackCategory;
  text: string;
}

/** Answers are rows only while they wait; what is kept of them are cells and, apart from those, comments. */
export interface FeedbackRepository {
  /** Keeps them in an order of its own; returns ids that say nothing about order or time. */
  add(answers: readonly FeedbackAnswer[]): Promise<number[]>;
  /** Keeps the one answer of a voice: what it said before and still waits is replaced. */
  addOf(voice: string, answer: FeedbackAnswer): Promise<{ id: number; replaced: boolean }>;
  /** Answers that wait to be published. */
  waiting(source: FeedbackSource): Promise<number>;
  /** Removes waiting answers and returns them, all or a random part; two callers never get the same one. */
  take(source: FeedbackSource, limit?: number): Promise<FeedbackAnswer[]>;
  addCells(cells: readonly StoredCell[]): Promise<void>;
  /** Keeps comments withheld. */
  addComments(source: FeedbackSource, comments: readonly Comment[]): Promise<void>;
  /** Answers in cells whose comments are withheld. */
  answersWithheld(source: FeedbackSource): Promise<number>;
  giveOutComments(source: FeedbackSource, on: string): Promise<void>;
  /** Cells published on that day or later. */
  cells(since: string): Promise<StoredCell[]>;
  /** Comments published on that day or later, in no order that tells of time. */
  comments(since: string, limit: number): Promise<Comment[]>;
}

export interface SurveyRepository {
  /** Fails with kind `conflict` when one is open already. */
  add(survey: Omit<Survey, 'id'>): Promise<Survey>;
  open(): Promise<Survey | null>;
  get(id: number): Promise<Survey | null>;
  /** Newest first. */
  list(page: { limit: number; offset: number }): Promise<{ items: Survey[]; total: number }>;
  /** False when it was closed already. Forgets who may still answer, and with it who did. */
  close(id: number, now: Date): Promise<boolean>;

  /** Distinct addresses of people who own a registered machine, may be asked, and were not asked since. */
  askable(notAskedSince: Date): Promise<string[]>;
  /** Invitations that wait, each with the right to one answer. */
  invite(surveyId: number, emails: readonly string[]): Promise<void>;
  invitation(id: number): Promise<Invitation | null>;
  byToken(digest: string): Promise<Invitation | null>;
  countStates(surveyId: number): Promise<Record<Invitation['state'], number>>;
  /** Waiting invitations of people who were not looked up yet; those who opted out are left alone, here and below. */
  withoutTimeZone(surveyId: number, limit: number): Promise<Invitation[]>;
  timeZones(surveyId: number): Promise<string[]>;
  /** Waiting invitations of people in one of these time zones. */
  toAsk(surveyId: number, timeZones: readonly string[], limit: number): Promise<Invitation[]>;
  /** Asked before, not reminded, and still with the right to answer. */
  toRemind(surveyId: number, timeZones: readonly string[], askedBefore: Date, limit: number): Promise<Invitation[]>;
  update(id: number, patch: Partial<Omit<Invitation, 'id'>>): Promise<void>;
  /** Remembers the digest of a token that speaks for the invitation; the one of the reminder stands beside the first. */
  rememberToken(id: number, digest: string, reminder: boolean): Promise<void>;

  /** Invitations of a survey that may still be answered. */
  seats(surveyId: number): Promise<number>;
  hasSeat(invitationId: number): Promise<boolean>;
  /** Uses up the right to answer; false when there is none any more. */
  giveUpSeat(invitationId: number): Promise<boolean>;
  countAnswer(surveyId: number): Promise<void>;

  /** That a person was asked, apart from everything that was answered. */
  rememberAsked(email: string, at: Date): Promise<void>;
  /** Opting out also takes the right to answer the open survey. */
  setOptOut(email: string, at: Date | null): Promise<void>;
}

interface Person {
  /** IANA name. */
  timeZone: string;
}

/** Who is behind an e-mail address, where messages to people go. Rejects when it cannot tell now. */
export interface PeopleDirectory {
  /** Null when nobody is known by this address. */
  lookup(email: string): Promise<Person | null>;
}
